//! What three people do at the page where two do not agree: one offers to decide, the others choose him, ask him, and hear what he says.

use crate::data::Advertisement;
use crate::person::{Person, SOON, SURELY, named};
use crate::purse::cents;
use crate::trouble::Outcome;

impl Person {
    /// Goes to what he decides for others, from the menu.
    ///
    /// # Errors
    /// If there is no way.
    pub async fn goes_to_his_cases(&self) -> Outcome {
        self.clicks("settings").await?;
        self.clicks("cases-open").await?;
        self.browser.see(&named("cases"), SOON).await?;
        Ok(())
    }

    /// Says out loud that he decides, for so much in per cent and within so many days.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn offers_to_decide(&self, title: &str, fee: &str, days: u32) -> Outcome {
        self.goes_to_his_cases().await?;
        self.types("offer-title", title).await?;
        self.types("offer-fee", fee).await?;
        self.types("offer-within", &days.to_string()).await?;
        self.clicks("offer-go").await?;
        let open = "[data-test=\"offer-card\"][data-open=\"true\"]";
        self.browser.see(open, SURELY).await?;
        Ok(())
    }

    /// Says that the only one of whom he hears may decide about his trades.
    ///
    /// # Errors
    /// If he hears of nobody.
    pub async fn takes_an_arbiter(&self) -> Outcome {
        self.goes_to("stall").await?;
        let add = named("takes-arbiter-add");
        self.browser.click(&add, SURELY).await?;
        self.browser.see(&named("takes-arbiter"), SOON).await?;
        self.saves("rules-save").await
    }

    /// Asks for what an advertisement wants, and orders the only quote of it through escrow, with the first arbiter whom it names.
    ///
    /// # Errors
    /// If the page does not let him, nobody quotes, or the arbiter is not heard of.
    pub async fn orders_under_an_arbiter(&self, want: &Advertisement) -> Outcome {
        self.drafts(want).await?;
        let intent = self.publishes().await?;
        self.is_quoted(&intent, 1, SURELY).await?;
        self.accepts_under_an_arbiter(&intent).await
    }

    /// Takes the best quote of a request, to be paid through the first escrow that it names, with the first arbiter whom it names.
    ///
    /// # Errors
    /// If the page does not let him, or the arbiter is not heard of.
    pub async fn accepts_under_an_arbiter(&self, intent: &str) -> Outcome {
        self.takes_up(intent, 1).await?;
        self.picks("pay-way-0").await?;
        self.browser.see(&named("pay-arbiter-0"), SURELY).await?;
        // Nobody is chosen for him.
        let nobody = format!("{}:checked", named("pay-arbiter-nobody"));
        self.browser.see(&nobody, SOON).await?;
        self.picks("pay-arbiter-0").await?;
        self.means_it(intent).await
    }

    /// Asks the arbiter of his only trade: so much to the buyer, in cents.
    ///
    /// # Errors
    /// If the page does not let him, or it does not arrive.
    pub async fn asks_the_arbiter(&self, buyer: u64, why: &str) -> Outcome {
        self.goes_to("trades").await?;
        self.unfolds("dispute-ask").await?;
        self.types("dispute-buyer", &cents(buyer)).await?;
        self.types("dispute-words", why).await?;
        self.clicks("dispute-go").await?;
        let arrived = "[data-test=\"dispute\"][data-state=\"delivered\"]";
        self.browser.see(arrived, SURELY).await?;
        Ok(())
    }

    /// Sees how far the only case is that he was asked to decide: `looking`, `open`, `ruled`.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn sees_a_case(&self, state: &str) -> Outcome {
        let case = format!("[data-test=\"case-card\"][data-state=\"{state}\"]");
        self.browser.see(&case, SURELY).await?;
        Ok(())
    }

    /// Decides that case: so much to the buyer, in cents.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn decides(&self, buyer: u64, why: &str) -> Outcome {
        self.clicks("rule-begin").await?;
        self.types("rule-buyer", &cents(buyer)).await?;
        self.types("rule-words", why).await?;
        self.clicks("rule-go").await?;
        self.sees_a_case("ruled").await
    }

    /// Decides the only case that is open: it counts as sent. He has decided so many by then.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn counts_it_as_sent(&self, why: &str, decided: u64) -> Outcome {
        self.clicks("rule-begin").await?;
        self.unfolds("renew").await?;
        self.types("renew-words", why).await?;
        self.clicks("renew-go").await?;
        let ruled = "return document.querySelectorAll(arguments[0]).length === arguments[1]";
        let case = "[data-test=\"case-card\"][data-state=\"ruled\"]";
        let arguments = vec![case.into(), decided.into()];
        self.browser
            .until("a decision", SURELY, ruled, arguments)
            .await?;
        Ok(())
    }

    /// Reads on a trade of his that the arbiter has decided that it counts as sent.
    ///
    /// # Errors
    /// If nothing like it comes.
    pub async fn reads_that_it_counts_as_sent(&self) -> Outcome {
        self.goes_to("trades").await?;
        let ruling = "[data-test=\"ruling\"][data-holds=\"true\"]";
        let words = ["The arbiter has decided that it counts as sent"];
        self.browser.read(ruling, &words, SURELY).await.map(drop)
    }

    /// Reads on his trade what the arbiter has decided, in cents for each of the two.
    ///
    /// # Errors
    /// If nothing like it comes.
    pub async fn reads_the_ruling(&self, buyer: u64, seller: u64) -> Outcome {
        self.goes_to("trades").await?;
        let ruling =
            format!("[data-test=\"ruling\"][data-buyer=\"{buyer}\"][data-seller=\"{seller}\"]");
        self.browser.see(&ruling, SURELY).await?;
        Ok(())
    }
}
