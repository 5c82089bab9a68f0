//! A person at the page: what he clicks and types, and what he then sees. Nothing reaches the page but through its
//! screen; the `data-test` names are listed in web/README.md.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use haggle_protocol::attribute::{Comparison, Value};
use haggle_protocol::quote::Quality;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::browser::{Browser, Driver};
use crate::data::Advertisement;
use crate::trouble::{Outcome, Trouble};

/// How long a page may take for one step on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// How long something may take that travels to another peer and back.
pub const SURELY: Duration = Duration::from_secs(60);

/// A person.
#[derive(Debug)]
pub struct Person {
    /// The browser.
    pub browser: Browser,
    url: String,
}

/// What a seller says about an item beside what its advertisement says.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How good it is.
    pub quality: Quality,
    /// Days until it is there.
    pub days: u32,
    /// How much of it there is.
    pub stock: u32,
}

/// A selector for what has this name.
#[must_use]
pub fn named(name: &str) -> String {
    format!("[data-test=\"{name}\"]")
}

impl Person {
    /// Opens the page in a browser of his own, under his name, and waits until it is ready to trade.
    ///
    /// # Errors
    /// If it is not in time.
    pub async fn arrives(driver: &Arc<Driver>, page: &str, name: &str) -> Outcome<Self> {
        Self::sits_down(driver.open(name).await?, page).await
    }

    /// The same, in a browser that is open already.
    ///
    /// # Errors
    /// As [`Person::arrives`].
    pub async fn sits_down(browser: Browser, page: &str) -> Outcome<Self> {
        let name = browser.name();
        let url = format!("{page}#as={name}");
        let person = Self { browser, url };
        person.browser.goto(&person.url).await?;
        person.ready().await?;
        Ok(person)
    }

    /// Ticks the box that hides his network address from other traders.
    ///
    /// # Errors
    /// If there is none.
    pub async fn hides_his_address(&self) -> Outcome {
        self.clicks("connection-pill").await?;
        let (dialog, place) = (named("connection-dialog"), named("hide-address"));
        self.browser
            .click(&format!("{dialog} {place}"), SURELY)
            .await?;
        let done = "return document.querySelector(arguments[0])?.checked";
        self.browser
            .until("the tick", SURELY, done, vec![place.into()])
            .await?;
        let close = "document.querySelector('dialog[open]').close()";
        self.browser.js(close, vec![]).await?;
        Ok(())
    }

    /// How many private messages the page says went directly, and how many through a relay; waits for the first one.
    ///
    /// # Errors
    /// If the page does not say.
    pub async fn private_messages(&self) -> Outcome<(u64, u64)> {
        self.clicks("connection-pill").await?;
        let place = named("connection-traders");
        // What has just come is counted within a second.
        let counted = "const told = document.querySelector(arguments[0])?.dataset;
            return told && Number(told.direct) + Number(told.relayed) > 0";
        self.browser
            .until(&place, SURELY, counted, vec![place.clone().into()])
            .await?;
        let script = "const told = document.querySelector(arguments[0]).dataset;
            document.querySelector('dialog[open]')?.close();
            return [Number(told.direct), Number(told.relayed)]";
        let told = self.browser.js(script, vec![place.into()]).await?;
        let number = |at: usize| {
            told.get(at)
                .and_then(serde_json::Value::as_u64)
                .unwrap_or_default()
        };
        Ok((number(0), number(1)))
    }

    /// Waits until the page is online and others can reach it.
    ///
    /// # Errors
    /// If it is not in time.
    pub async fn ready(&self) -> Outcome {
        self.browser
            .see(
                "[data-test=\"connection-pill\"][data-state=\"online\"]",
                SURELY,
            )
            .await?;
        Ok(())
    }

    /// Loads the page again, and waits until it is ready.
    ///
    /// # Errors
    /// If it is not in time.
    pub async fn reloads(&self) -> Outcome {
        self.browser.reload().await?;
        self.ready().await
    }

    /// Opens the page again after he has left it, and waits until it is ready.
    ///
    /// # Errors
    /// If it is not in time.
    pub async fn comes_back(&self) -> Outcome {
        self.browser.goto(&self.url).await?;
        self.ready().await
    }

    /// Goes to a screen by the navigation.
    ///
    /// # Errors
    /// If there is no way.
    pub async fn goes_to(&self, screen: &str) -> Outcome {
        // The navigation stands at the top on wide screens and at the bottom on telephones.
        let script = "const found = [`nav-${arguments[0]}`, `tab-${arguments[0]}`]
                .map(name => document.querySelector(`[data-test=\"${name}\"]`))
                .find(element => element?.checkVisibility());
            return found && found.dataset.test";
        let link = self
            .browser
            .until("the navigation", SOON, script, vec![screen.into()])
            .await?;
        self.browser
            .click(&named(link.as_str().unwrap_or_default()), SOON)
            .await?;
        self.browser
            .see(
                &format!("[data-test=\"main\"][data-screen=\"{screen}\"]"),
                SOON,
            )
            .await?;
        Ok(())
    }

    /// Chooses a file for a field.
    ///
    /// # Errors
    /// If there is no such field.
    pub async fn attaches(&self, field: &str, file: &Path) -> Outcome {
        let handed = self.browser.hand_over(&named(field), file, SOON).await;
        handed.map_err(|trouble| trouble.while_doing(field))
    }

    /// Types into a field.
    ///
    /// # Errors
    /// If there is none.
    pub async fn types(&self, field: &str, text: &str) -> Outcome {
        self.browser.fill(&named(field), text, SOON).await
    }

    /// From now on what the page hands out as a file is put into this folder.
    ///
    /// # Errors
    /// If there can be no such folder.
    pub async fn saves_files_in(&self, folder: &Path) -> Outcome {
        std::fs::create_dir_all(folder)?;
        let allowed = json!({ "behavior": "allow", "downloadPath": folder });
        let command = "Browser.setDownloadBehavior";
        self.browser.devtools(command, allowed).await?;
        Ok(())
    }

    /// Waits for a file of such a name.
    ///
    /// # Errors
    /// If none comes.
    pub async fn finds(&self, folder: &Path, right: impl Fn(&str) -> bool) -> Outcome<PathBuf> {
        let deadline = Instant::now() + SURELY;
        loop {
            let files = std::fs::read_dir(folder)?.filter_map(Result::ok);
            let mut right = files.filter(|file| file.file_name().to_str().is_some_and(&right));
            if let Some(file) = right.next() {
                return Ok(file.path());
            }
            if Instant::now() > deadline {
                return Err(Trouble::new("no file was downloaded".to_owned()));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Chooses from a list.
    ///
    /// # Errors
    /// If there is no such choice.
    pub async fn chooses(&self, field: &str, value: &str) -> Outcome {
        self.browser.choose(&named(field), value, SOON).await
    }

    /// Clicks on something.
    ///
    /// # Errors
    /// If it cannot be clicked.
    pub async fn clicks(&self, name: &str) -> Outcome {
        self.browser.click(&named(name), SOON).await
    }

    /// Opens a part of the form that is folded away.
    ///
    /// # Errors
    /// If there is none.
    pub async fn unfolds(&self, name: &str) -> Outcome {
        let script = "return document.querySelector(arguments[0])?.open";
        if self.browser.js(script, vec![named(name).into()]).await? != true {
            self.browser
                .click(&format!("{} > summary", named(name)), SOON)
                .await?;
        }
        Ok(())
    }

    /// Chooses a card: what is clicked is its label, as a person does.
    ///
    /// # Errors
    /// If there is none.
    pub async fn picks(&self, name: &str) -> Outcome {
        self.browser
            .click(&format!("label:has({})", named(name)), SOON)
            .await
    }

    /// Fills in what whoever wants this advertisement asks for, by the rule of [`crate::data`], but does not publish it.
    ///
    /// # Errors
    /// If the page does not take it.
    pub async fn drafts(&self, want: &Advertisement) -> Outcome {
        self.goes_to("ask").await?;
        self.types("title", &want.wanted_title()).await?;
        self.category("category").await?;
        self.chooses("currency", "USD").await?;
        self.types("limit", &want.price.to_string()).await?;
        if want.row.is_multiple_of(2) {
            self.picks("budget-all").await?;
        }
        self.unfolds("fold-wishes").await?;
        for (at, wish) in (1..).zip(want.wishes()?) {
            self.clicks("wish-add").await?;
            let within = |name: &str| format!(".wish:nth-child({at}) {}", named(name));
            self.browser
                .fill(&within("wish-name"), &wish.key, SOON)
                .await?;
            let how = match wish.comparison {
                Comparison::Is => "is",
                Comparison::AtLeast => "at-least",
                Comparison::AtMost => "at-most",
            };
            self.browser.choose(&within("wish-how"), how, SOON).await?;
            self.value(&within("wish-value"), &within("wish-unit"), &wish.value)
                .await?;
            if wish.must {
                self.browser.click(&within("wish-must"), SOON).await?;
            }
        }
        Ok(())
    }

    /// Publishes what was filled in, and gives back the intent's name.
    ///
    /// # Errors
    /// If it does not appear among his requests.
    pub async fn publishes(&self) -> Outcome<String> {
        self.publishes_beside(&[]).await
    }

    /// The same beside requests that he has published before.
    ///
    /// # Errors
    /// If none but these appears among his requests.
    pub async fn publishes_beside(&self, known: &[String]) -> Outcome<String> {
        self.clicks("publish").await?;
        self.browser
            .see("[data-test=\"main\"][data-screen=\"requests\"]", SOON)
            .await?;
        let new = "return [...document.querySelectorAll('[data-test=\"intent-card\"]')]
            .map(card => card.dataset.intent).find(intent => !arguments[0].includes(intent))";
        let name = self
            .browser
            .until("the request", SOON, new, vec![known.into()])
            .await?;
        Ok(name.as_str().unwrap_or_default().to_owned())
    }

    /// Puts an item into his stall.
    ///
    /// # Errors
    /// If the page does not take it.
    pub async fn offers(&self, ad: &Advertisement, terms: Terms) -> Outcome {
        self.goes_to("stall").await?;
        let before = self.browser.count(&named("stall-item")).await?;
        self.clicks("stall-item-add").await?;
        self.types("item-title", &ad.title()).await?;
        self.category("item-category").await?;
        self.types("item-stock", &terms.stock.to_string()).await?;
        self.chooses("item-currency", "USD").await?;
        self.types("item-tier-price", &ad.price.to_string()).await?;
        self.chooses("item-quality", &terms.quality.grade().to_string())
            .await?;
        for (at, attribute) in (1..).zip(ad.attributes()?) {
            self.clicks("item-attribute-add").await?;
            let within = |name: &str| format!(".property-row:nth-child({at}) {}", named(name));
            self.browser
                .fill(&within("item-attribute-name"), &attribute.key, SOON)
                .await?;
            let (value, unit) = (
                within("item-attribute-value"),
                within("item-attribute-unit"),
            );
            self.value(&value, &unit, &attribute.value).await?;
        }
        self.types("item-delivery-time", &terms.days.to_string())
            .await?;
        self.clicks("item-save").await?;
        let one_more = "return document.querySelectorAll(arguments[0]).length > arguments[1]";
        let arguments = vec![named("stall-item").into(), before.into()];
        self.browser
            .until("the item in the stall", SOON, one_more, arguments)
            .await?;
        Ok(())
    }

    /// Says how his stall answers: `off`, `indicative`, `firm`.
    ///
    /// # Errors
    /// If the page does not take it.
    pub async fn answers_by_rule(&self, rule: &str) -> Outcome {
        self.goes_to("stall").await?;
        self.picks(&format!("rules-auto-{rule}")).await?;
        self.saves("rules-save").await
    }

    /// Says who he is to the one he trades with.
    ///
    /// # Errors
    /// If the page does not take it.
    pub async fn introduces_himself(&self, name: &str, phone: &str) -> Outcome {
        self.goes_to("stall").await?;
        self.types("profile-name", name).await?;
        self.types("profile-phone", phone).await?;
        self.saves("profile-save").await
    }

    /// Presses a button and waits until the page says that it is done.
    pub(crate) async fn saves(&self, button: &str) -> Outcome {
        // What was said before must be gone, or it would be taken for the answer.
        let silent = "return !document.querySelector(arguments[0])";
        self.browser
            .until("silence", SOON, silent, vec![named("toast").into()])
            .await?;
        self.clicks(button).await?;
        self.browser.see(&named("toast"), SOON).await?;
        Ok(())
    }

    /// Waits until a request of his has so many quotes.
    ///
    /// # Errors
    /// If it has not in time.
    pub async fn is_quoted(&self, intent: &str, quotes: u32, within: Duration) -> Outcome {
        let card = format!(
            "[data-test=\"intent-card\"][data-intent=\"{intent}\"][data-quotes=\"{quotes}\"]"
        );
        self.browser.see(&card, within).await?;
        Ok(())
    }

    /// Takes the quote of this rank, and confirms that he means it.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn accepts(&self, intent: &str, rank: u32) -> Outcome {
        self.takes_up(intent, rank).await?;
        self.means_it(intent).await
    }

    /// Opens the dialog in which the quote of this rank is taken.
    pub(crate) async fn takes_up(&self, intent: &str, rank: u32) -> Outcome {
        self.goes_to("requests").await?;
        let button = format!(
            "[data-intent=\"{intent}\"] [data-test=\"quote-card\"][data-rank=\"{rank}\"] {}",
            named("accept")
        );
        self.browser.click(&button, SOON).await
    }

    /// Confirms in that dialog that he means it.
    pub(crate) async fn means_it(&self, intent: &str) -> Outcome {
        self.clicks("accept-confirm").await?;
        let ordered = format!(
            "[data-intent=\"{intent}\"][data-state=\"ordered\"], [data-intent=\"{intent}\"][data-state=\"awarded\"]"
        );
        self.browser.see(&ordered, SOON).await?;
        Ok(())
    }

    /// Offers so much for the quote of this rank, and sees that its seller has it.
    ///
    /// # Errors
    /// If the page does not let him, or it does not arrive.
    pub async fn haggles(&self, intent: &str, rank: u32, total: &str) -> Outcome {
        self.goes_to("requests").await?;
        let card =
            format!("[data-intent=\"{intent}\"] [data-test=\"quote-card\"][data-rank=\"{rank}\"]");
        let button = format!("{card} {}", named("haggle"));
        self.browser.click(&button, SOON).await?;
        self.types("counter-total", total).await?;
        self.clicks("counter-send").await?;
        let arrived = format!("{card} [data-test=\"my-counter\"][data-delivered=\"true\"]");
        self.browser.see(&arrived, SURELY).await?;
        Ok(())
    }

    /// Writes to the other side in a part of the page, and sees that it has arrived there.
    ///
    /// # Errors
    /// If the page does not let him, or it does not arrive.
    pub async fn writes(&self, within: &str, text: &str) -> Outcome {
        let chat = format!("{within} {}", named("chat"));
        let unfold = "const chat = document.querySelector(arguments[0]);
            if (chat && !chat.open) chat.querySelector('summary').click();
            return chat?.open";
        let arguments = vec![chat.clone().into()];
        self.browser.until(&chat, SOON, unfold, arguments).await?;
        let field = format!("{chat} {}", named("chat-text"));
        self.browser.fill(&field, text, SOON).await?;
        let button = format!("{chat} {}", named("chat-send"));
        self.browser.click(&button, SOON).await?;
        let arrived = "return [...document.querySelectorAll(arguments[0])]
            .some(line => line.dataset.state === 'delivered' && line.innerText.includes(arguments[1]))";
        let mine = format!("{chat} [data-test=\"chat-line\"][data-mine=\"true\"]");
        let arguments = vec![mine.into(), text.into()];
        self.browser.until(text, SURELY, arrived, arguments).await?;
        Ok(())
    }

    /// Goes to the talk of his trade, and unfolds it.
    ///
    /// # Errors
    /// If there is none.
    pub async fn talks(&self) -> Outcome {
        self.goes_to("trades").await?;
        let unfold = "const chat = document.querySelector(arguments[0]);
            if (chat && !chat.open) chat.querySelector('summary').click();
            chat?.scrollIntoView();
            return chat?.open";
        let chat = vec![named("chat").into()];
        self.browser.until("the talk", SOON, unfold, chat).await?;
        Ok(())
    }

    /// Reads in a part of the page what the other side has written.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn is_told(&self, within: &str, text: &str) -> Outcome {
        let theirs = format!("{within} [data-test=\"chat-line\"][data-mine=\"false\"]");
        let came = "return [...document.querySelectorAll(arguments[0])].some(line => line.innerText.includes(arguments[1]))";
        let arguments = vec![theirs.into(), text.into()];
        self.browser.until(text, SURELY, came, arguments).await?;
        Ok(())
    }

    /// Sees what the buyer offers for his quote (in minor units), and quotes just that.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn meets(&self, intent: &str, total: u64) -> Outcome {
        self.goes_to("market").await?;
        let counter = format!(
            "[data-intent=\"{intent}\"] [data-test=\"their-counter\"][data-total=\"{total}\"]"
        );
        self.browser.see(&counter, SURELY).await?;
        let button = format!("{counter} {}", named("meet"));
        self.browser.click(&button, SOON).await?;
        let quoted = "return !document.querySelector(arguments[0])";
        let arguments = vec![button.into()];
        self.browser
            .until("the new quote", SOON, quoted, arguments)
            .await?;
        Ok(())
    }

    /// Sees an order, and confirms it.
    ///
    /// # Errors
    /// If none comes.
    pub async fn confirms(&self) -> Outcome {
        self.goes_to("trades").await?;
        self.browser.see(&named("order-card"), SURELY).await?;
        self.clicks("confirm-order").await?;
        Ok(())
    }

    /// Sees who the other side of his trade is.
    ///
    /// # Errors
    /// If that does not come.
    pub async fn knows(&self, other: &str) -> Outcome {
        self.goes_to("trades").await?;
        self.browser
            .read(&named("contact-name"), &[other], SURELY)
            .await?;
        Ok(())
    }

    /// Says that he has taken a step of his trade (`paid`, `dispatched`, `received`), and sees that the other side knows.
    ///
    /// # Errors
    /// If the page does not let him, or the other side does not learn of it.
    pub async fn reports(&self, step: &str) -> Outcome {
        self.says(step).await?;
        let known =
            format!("[data-test=\"trade-step\"][data-step=\"{step}\"][data-delivered=\"true\"]");
        self.browser.see(&known, SURELY).await?;
        Ok(())
    }

    /// The same without waiting for the other side.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn says(&self, step: &str) -> Outcome {
        self.goes_to("trades").await?;
        self.clicks(&format!("step-{step}")).await?;
        self.clicks("step-send").await?;
        self.sees_step(step).await
    }

    /// Says that he has handed it over, with the code that the buyer has told him.
    ///
    /// # Errors
    /// If the page does not let him.
    pub async fn delivers(&self, code: &str) -> Outcome {
        self.goes_to("trades").await?;
        self.clicks("step-delivered").await?;
        self.types("step-code", code).await?;
        self.clicks("step-send").await?;
        self.sees_step("delivered").await
    }

    /// Sees that a step of his trade was taken.
    ///
    /// # Errors
    /// If he does not learn of it.
    pub async fn sees_step(&self, step: &str) -> Outcome {
        self.goes_to("trades").await?;
        let taken = format!("[data-test=\"trade-step\"][data-step=\"{step}\"]");
        self.browser.see(&taken, SURELY).await?;
        Ok(())
    }

    /// Sees his trade in this state.
    ///
    /// # Errors
    /// If it does not get there.
    pub async fn sees_trade(&self, state: &str) -> Outcome {
        self.goes_to("trades").await?;
        let trade = format!("[data-test=\"trade-card\"][data-state=\"{state}\"]");
        self.browser.see(&trade, SURELY).await?;
        Ok(())
    }

    async fn category(&self, field: &str) -> Outcome {
        let desktops = crate::data::desktops()?.0.to_string();
        self.chooses(field, &desktops).await
    }

    async fn value(&self, value: &str, unit: &str, what: &Value) -> Outcome {
        let (text, code) = match what {
            Value::Text(text) => (text.clone(), None),
            Value::Flag(flag) => (String::from(if *flag { "yes" } else { "no" }), None),
            Value::Measure(quantity) if quantity.scale == 0 => {
                (quantity.n.to_string(), Some(quantity.unit))
            }
            Value::Measure(_) => return Err(Trouble::new("only whole numbers are typed here")),
        };
        self.browser.fill(value, &text, SOON).await?;
        match code {
            Some(code) => self.browser.choose(unit, code.code(), SOON).await,
            None => Ok(()),
        }
    }
}
