//! The program behind the page's money, opened as the page opens it and asked by itself: in a real browser, over an empty store of its
//! own, at a real mint. What it is asked and answers are those of `haggle_payments::remote`, as JSON.

use haggle_protocol::settlement::{Deal, Locked, Outcome as Fate, Settlement};
use haggle_protocol::{Asset, Contract, Custodian, DealKey, MessageId, Party};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::trouble::{Outcome, Trouble};

/// Opens one, by the description that the page carries of it.
const OPEN: &str = "
    const about = JSON.parse(document.querySelector('meta[name=\"haggle-money\"]').content);
    const place = name => new URL(name, location.href).href;
    const program = await import(place(about.js));
    await program.default({ module_or_path: fetch(place(about.wasm), { integrity: about.integrity }) });
    const kept = new Map();
    const store = {
        load: async () => [...kept],
        get: async key => kept.get(key),
        commit: async batch => { for (const [key, bytes] of batch) if (bytes) kept.set(key, bytes); else kept.delete(key); },
    };
    window.__rails ??= {};
    window.__rails[arguments[0]] = await program.open(store, new Uint8Array(64).fill(arguments[1]));";

/// Asks it, and says how long that took.
const ASK: &str = "
    const begin = performance.now();
    const answer = await window.__rails[arguments[0]].ask(arguments[1]);
    return [performance.now() - begin, answer];";

/// Asks for a key.
const KEY: &str = "return window.__rails[arguments[0]].key(arguments[1])";

/// A wallet in a page.
#[derive(Debug)]
pub struct Rail<'a> {
    browser: &'a Browser,
    party: Party,
    mint: Custodian,
    asset: Asset,
}

impl<'a> Rail<'a> {
    /// Opens one for a party in a browser that shows the page, and names a mint to it.
    ///
    /// # Errors
    /// If the page carries none, or it does not open.
    pub async fn open(browser: &'a Browser, party: Party, mint: &str, unit: &str) -> Outcome<Self> {
        let rail = Self {
            browser,
            party,
            mint: Custodian::new(mint)?,
            asset: Asset::new(unit)?,
        };
        let seed = json!(party as u8 + 1);
        browser.js_async(OPEN, vec![rail.name(), seed]).await?;
        rail.must::<()>(json!({ "trust": rail.mint })).await?;
        Ok(rail)
    }

    fn name(&self) -> Value {
        json!(self.party)
    }

    /// Asks it; says for how many milliseconds, and what it said.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn asked(&self, question: &Value) -> Outcome<(f64, Result<Value, Value>)> {
        let arguments = vec![self.name(), question.to_string().into()];
        let told = self.browser.js_async(ASK, arguments).await?;
        let (took, answer): (f64, String) = serde_json::from_value(told)?;
        Ok((took, serde_json::from_str(&answer)?))
    }

    /// Asks it for something that it must do.
    ///
    /// # Errors
    /// If it does not.
    pub async fn must<T: DeserializeOwned>(&self, question: Value) -> Outcome<T> {
        Ok(self.timed(question).await?.1)
    }

    /// The same with how long it took, in milliseconds.
    ///
    /// # Errors
    /// If it does not do it.
    pub async fn timed<T: DeserializeOwned>(&self, question: Value) -> Outcome<(f64, T)> {
        let (took, answer) = self.asked(&question).await?;
        let done = answer.map_err(|why| Trouble::new(format!("{:?}: {why}", self.party)))?;
        Ok((took, serde_json::from_value(done)?))
    }

    /// Asks it for something that it must refuse; gives back why, as its own error is written.
    ///
    /// # Errors
    /// If it does it.
    pub async fn refuses(&self, question: Value) -> Outcome<Value> {
        match self.asked(&question).await?.1 {
            Ok(done) => Err(Trouble::new(format!("{:?} did it: {done}", self.party))),
            Err(why) => Ok(why),
        }
    }

    /// Its key of a deal.
    ///
    /// # Errors
    /// If it has none.
    pub async fn key(&self, quote: MessageId) -> Outcome<DealKey> {
        let question = json!({ "key": [self.party, quote] }).to_string();
        let told = self
            .browser
            .js(KEY, vec![self.name(), question.into()])
            .await?;
        let answer: Result<DealKey, Value> =
            serde_json::from_str(told.as_str().unwrap_or_default())?;
        answer.map_err(|why| Trouble::new(why.to_string()))
    }

    /// Fills its purse, and waits until that is there.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn fills(&self, minor: u64) -> Outcome {
        let purse = json!({ "custodian": self.mint, "asset": self.asset });
        self.must::<Value>(json!({ "deposit": [purse, minor] }))
            .await?;
        for _ in 0..100 {
            self.must::<Value>(json!("collect")).await?;
            if self.holds().await? >= minor {
                return Ok(());
            }
        }
        Err(Trouble::new("a deposit does not come"))
    }

    /// What is in its purse, in minor units; nothing is on its way.
    ///
    /// # Errors
    /// If something is.
    pub async fn holds(&self) -> Outcome<u64> {
        let balances: Vec<Value> = self.must(json!("balance")).await?;
        let sum = |what: &str| {
            balances
                .iter()
                .filter_map(|it| it[what].as_u64())
                .sum::<u64>()
        };
        if sum("held") > 0 {
            return Err(Trouble::new(format!("{balances:?}")));
        }
        Ok(sum("free"))
    }

    /// The deal as this party sees it.
    #[must_use]
    pub fn deal(&self, contract: &Contract, quote: MessageId) -> Deal {
        Deal {
            contract: contract.clone(),
            party: self.party,
            quote,
        }
    }

    /// Proposes what is to become of a lock, and signs it.
    ///
    /// # Errors
    /// If it does not.
    pub async fn proposes(&self, deal: &Deal, locked: &Locked, fate: Fate) -> Outcome<Settlement> {
        self.must(json!({ "propose": [deal, locked, fate] })).await
    }

    /// Signs what another party proposes.
    ///
    /// # Errors
    /// If it does not.
    pub async fn cosigns(
        &self,
        deal: &Deal,
        locked: &Locked,
        it: &Settlement,
    ) -> Outcome<Settlement> {
        self.must(json!({ "cosign": [deal, locked, it] })).await
    }

    /// Has it carried out; gives back the new lock if it is renewed.
    ///
    /// # Errors
    /// If it is not.
    pub async fn executes(
        &self,
        contract: &Contract,
        locked: &Locked,
        it: &Settlement,
    ) -> Outcome<Option<Locked>> {
        self.must(json!({ "execute": [contract, locked, it] }))
            .await
    }

    /// Brings its own part in.
    ///
    /// # Errors
    /// If it cannot.
    pub async fn claims(&self, deal: &Deal, locked: &Locked, it: &Settlement) -> Outcome {
        self.must::<Value>(json!({ "claim": [deal, locked, it] }))
            .await?;
        Ok(())
    }

    /// Takes what is its own after the deadline, asking until the mint's clock has come to it.
    ///
    /// # Errors
    /// If it is refused for anything but being early.
    pub async fn takes_after_the_deadline(&self, deal: &Deal, locked: &Locked) -> Outcome {
        for _ in 0..1_000 {
            match self.asked(&json!({ "refund": [deal, locked] })).await?.1 {
                Ok(_) => return Ok(()),
                Err(why) if why == "too-early" => {}
                Err(why) => return Err(Trouble::new(why.to_string())),
            }
        }
        Err(Trouble::new("the deadline does not come"))
    }
}
