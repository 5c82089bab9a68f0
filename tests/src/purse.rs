//! What a person at the page does with money: he names a mint, fills his purse, pays through escrow, shares out what is locked.

use crate::data::Advertisement;
use crate::person::{Person, SOON, SURELY, Terms, named};
use crate::trouble::Outcome;

impl Person {
    /// Goes to his money, and waits until what is needed for it is there.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn opens_his_purse(&self) -> Outcome {
        self.goes_to("money").await?;
        self.browser.see(&named("money-ready"), SURELY).await?;
        Ok(())
    }

    /// Names a mint as one that may keep his money.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn trusts(&self, mint: &str) -> Outcome {
        self.opens_his_purse().await?;
        self.types("mint-address", mint).await?;
        self.clicks("mint-add").await?;
        self.browser.see(&named("mint"), SOON).await?;
        Ok(())
    }

    /// Fills a purse at the only mint that he trusts, and waits until it holds that.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn fills_his_purse(&self, amount: u64, currency: &str) -> Outcome {
        self.opens_his_purse().await?;
        self.types("fill-amount", &amount.to_string()).await?;
        self.types("fill-currency", currency).await?;
        self.clicks("fill-ask").await?;
        self.browser.see(&named("fill-request"), SURELY).await?;
        self.holds(amount * 100).await
    }

    /// Waits until his only purse holds just this much, in minor units, with nothing on its way.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn holds(&self, minor: u64) -> Outcome {
        self.opens_his_purse().await?;
        let purse = format!("[data-test=\"purse\"][data-free=\"{minor}\"][data-held=\"0\"]");
        self.browser.see(&purse, SURELY).await?;
        Ok(())
    }

    /// Waits until the page tells that so much money has moved for this reason, in minor units; says for what.
    ///
    /// # Errors
    /// If it does not.
    pub async fn sees_moved(&self, why: &str, minor: u64) -> Outcome<String> {
        self.opens_his_purse().await?;
        let line = format!("[data-test=\"moved\"][data-why=\"{why}\"][data-minor=\"{minor}\"]");
        self.browser.see(&line, SURELY).await
    }

    /// Asks the only mint that he trusts what it remembers of his words.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn finds_his_money(&self, currency: &str) -> Outcome {
        self.opens_his_purse().await?;
        self.types("find-currency", currency).await?;
        self.clicks("find-go").await
    }

    /// Says that buyers may lock what they pay him at a mint.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn takes_escrow(&self, mint: &str, currency: &str) -> Outcome {
        self.goes_to("stall").await?;
        self.types("takes-mint", mint).await?;
        self.types("takes-currency", currency).await?;
        self.clicks("takes-add").await?;
        self.browser.see(&named("takes-row"), SOON).await?;
        self.saves("rules-save").await
    }

    /// Puts an item into his stall, says who he is, and takes what buyers lock at a mint in dollars.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn sells_through_escrow(
        &self,
        ad: &Advertisement,
        terms: Terms,
        mint: &str,
    ) -> Outcome {
        self.offers(ad, terms).await?;
        self.introduces_himself("Vera Verkauf", "+1 555 0100")
            .await?;
        self.takes_escrow(mint, "USD").await
    }

    /// Takes the best quote of a request, and chooses to pay through the first escrow that it names.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn accepts_through_escrow(&self, intent: &str) -> Outcome {
        self.takes_up(intent, 1).await?;
        self.picks("pay-way-0").await?;
        self.browser.see(&named("pay-plan"), SOON).await?;
        self.means_it(intent).await
    }

    /// Asks for what an advertisement wants, is quoted once, and orders that, to be paid through escrow.
    ///
    /// # Errors
    /// If the page does not let him, or nobody quotes.
    pub async fn orders_through_escrow(&self, want: &Advertisement) -> Outcome<String> {
        self.drafts(want).await?;
        let intent = self.publishes().await?;
        self.is_quoted(&intent, 1, SURELY).await?;
        self.accepts_through_escrow(&intent).await?;
        Ok(intent)
    }

    /// Says who he is, names a mint, and has so many dollars there.
    ///
    /// # Errors
    /// If the page does not let him, or they do not come.
    pub async fn comes_with_money(&self, mint: &str, dollars: u64) -> Outcome {
        self.introduces_himself("Karl Kauf", "+1 555 0199").await?;
        self.trusts(mint).await?;
        self.fills_his_purse(dollars, "USD").await
    }

    /// Sees what has become of the money of his trade: `locked`, `released`, `refunded`, `shared`.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn sees_escrow(&self, state: &str) -> Outcome<String> {
        self.goes_to("trades").await?;
        let panel = format!("[data-test=\"escrow-panel\"][data-state=\"{state}\"]");
        self.browser.see(&panel, SURELY).await
    }

    /// Asks a mint again that was away, unless the page has done so by itself meanwhile.
    ///
    /// # Errors
    /// If there is no page.
    pub async fn asks_the_mint_again(&self) -> Outcome {
        let press = "document.querySelector(arguments[0])?.click()";
        let again = vec![named("escrow-again").into()];
        self.browser.js(press, again).await?;
        Ok(())
    }

    /// Proposes that so much of what is locked goes to the buyer, in cents, and the rest to the seller.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn would_share(&self, buyer: u64) -> Outcome {
        self.goes_to("trades").await?;
        self.unfolds("share").await?;
        self.types("share-buyer", &cents(buyer)).await?;
        self.clicks("share-go").await?;
        self.browser.see(&named("escrow-offer"), SOON).await?;
        Ok(())
    }

    /// Agrees to what the other side proposes.
    ///
    /// # Errors
    /// If nothing comes.
    pub async fn agrees(&self) -> Outcome {
        self.goes_to("trades").await?;
        self.browser.click(&named("escrow-agree"), SURELY).await?;
        Ok(())
    }

    /// Opens what whoever is thankful opens, for `seller`, `buyer` or `arbiter`, and waits until there is a purse to choose.
    ///
    /// # Errors
    /// If it is not offered.
    pub async fn is_thankful(&self, to: &str) -> Outcome {
        self.goes_to("trades").await?;
        let place = format!("[data-test=\"tip\"][data-to=\"{to}\"]");
        let summary = format!("{place} > summary");
        self.browser.click(&summary, SURELY).await?;
        self.browser.see(&named("tip-form"), SURELY).await?;
        Ok(())
    }

    /// Gives a tip with a few words, in cents.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn tips(&self, to: &str, minor: u64, words: &str) -> Outcome {
        self.is_thankful(to).await?;
        self.types("tip-amount", &cents(minor)).await?;
        self.types("tip-words", words).await?;
        self.clicks("tip-go").await
    }

    /// Takes the only tip that came, in a part of the page.
    ///
    /// # Errors
    /// If there is none.
    pub async fn takes_a_tip(&self, within: &str) -> Outcome {
        let button = format!("{within} {}", named("tip-take"));
        self.browser.click(&button, SURELY).await
    }

    /// Gives up his trade.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn cancels(&self) -> Outcome {
        self.goes_to("trades").await?;
        self.clicks("cancel-trade").await?;
        self.clicks("cancel-send").await
    }
}

/// So many cents as one types them.
pub(crate) fn cents(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
