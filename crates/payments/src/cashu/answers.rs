//! What the rail answers: each question of [`Rail`], in its order.

use core::str::FromStr as _;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use cdk::nuts::{PaymentMethod, ProofsMethods as _, State, Token};
use cdk::{Amount, cdk_database::WalletDatabase as _};
use cdk_common::wallet::{
    OperationData, ReceiveOptions, SendOptions, SendSagaState, WalletSagaState,
};
use haggle_protocol::settlement::Deal;
use haggle_protocol::{
    Contract, Custodian, DealKey, Locked, MessageId, Money, Outcome, Party, Settlement, Side,
    Timestamp,
};
use haggle_store::Memory;

use super::ledger::{Line, Reason};
use super::locking::Lock;
use super::mint::{
    Remembered, able, active_keys, free, moved, not_saved, outlives, spent, trouble,
};
use super::names::{asset_of, custodian_of, purse_of, url_of};
use super::outputs::{self, For, Told, Use};
use super::settling::{Carried, carried_out, signed_for};
use super::taking::proofs_of;
use super::{CEILING, Cashu, Ledger};
use crate::ecash::{ECASH, ECASH_TEXT_MAX};
use crate::error::{Error, Mismatch};
use crate::history::{Moved, Way, Why};
use crate::rail::{Balance, Capabilities, Deposit, Given, LockState, Purse, Rail, Withdrawal};

/// Reads ecash as text, and into which purse it would go.
fn read(text: &str) -> Result<(Token, Purse), Error> {
    if text.len() > ECASH_TEXT_MAX {
        return Err(Error::Damaged);
    }
    let token = Token::from_str(text.trim()).map_err(|_| Error::Damaged)?;
    let purse = Purse {
        custodian: custodian_of(&token.mint_url().map_err(|_| Error::Damaged)?)?,
        asset: asset_of(&token.unit().ok_or(Error::Damaged)?)?,
    };
    Ok((token, purse))
}

/// A line of a history as it is told.
fn told(line: &Line, open: bool) -> Result<Moved, Error> {
    let way = if line.came > line.went {
        Way::In
    } else {
        Way::Out
    };
    let minor = line.came.abs_diff(line.went);
    let (why, cost) = match (line.why, way) {
        // What came back of one's own was not gone before; what it cost is.
        (Why::Taken, Way::Out) => (Why::TakenBack, minor),
        (Why::Unlocked, Way::Out) => (Why::Unlocked, minor),
        (why, _) => (why, line.cost),
    };
    Ok(Moved {
        when: Timestamp(line.when),
        purse: Purse {
            custodian: custodian_of(&line.mint)?,
            asset: asset_of(&line.unit)?,
        },
        way,
        minor,
        cost,
        why,
        order: line.order,
        open,
    })
}

/// What one's own part of what was locked is.
const fn share_of(deal: &Deal, outcome: &Outcome) -> Why {
    match (deal.party, outcome) {
        (Party::Buyer, Outcome::Expired) => Why::Refunded,
        (Party::Buyer, Outcome::Split(_) | Outcome::Renew { .. }) => Why::Returned,
        (Party::Seller, _) => Why::Paid,
        (Party::Arbiter, _) => Why::Decided,
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
impl Rail for Cashu {
    fn capabilities(&self) -> Capabilities {
        ECASH
    }

    async fn trust(&self, custodian: &Custodian) -> Result<(), Error> {
        let url = url_of(custodian)?;
        let known = self.ledger.get_mints().await.map_err(not_saved)?;
        if !known.contains_key(&url) {
            self.ledger.add_mint(url, None).await.map_err(not_saved)?;
        }
        Ok(())
    }

    async fn distrust(&self, custodian: &Custodian) -> Result<(), Error> {
        let url = url_of(custodian)?;
        let mut wallets = self.wallets.lock().await;
        self.ledger.remove_mint(url).await.map_err(not_saved)?;
        wallets.retain(|purse, _| purse.custodian != *custodian);
        Ok(())
    }

    async fn trusted(&self) -> Result<Vec<Custodian>, Error> {
        let mints = self.ledger.mints().await.map_err(not_saved)?;
        mints.iter().map(custodian_of).collect()
    }

    async fn balance(&self) -> Result<Vec<Balance>, Error> {
        let proofs = self
            .ledger
            .get_proofs(None, None, None, None)
            .await
            .map_err(not_saved)?;
        let mut purses = BTreeMap::<Purse, (u64, u64)>::new();
        for proof in proofs {
            let purse = Purse {
                custodian: custodian_of(&proof.mint_url)?,
                asset: asset_of(&proof.unit)?,
            };
            let (free, held) = purses.entry(purse).or_default();
            let amount = proof.proof.amount.to_u64();
            match proof.state {
                State::Unspent => *free += amount,
                State::Reserved | State::Pending | State::PendingSpent => *held += amount,
                State::Spent => {}
            }
        }
        Ok(purses
            .into_iter()
            .map(|(purse, (free, held))| Balance { purse, free, held })
            .collect())
    }

    async fn history(&self) -> Result<Vec<Moved>, Error> {
        let lines = self.ledger.moved().await.map_err(not_saved)?;
        lines
            .into_iter()
            .map(|(line, open)| told(&line, open))
            .collect()
    }

    async fn deposit(&self, purse: &Purse, minor: u64) -> Result<Deposit, Error> {
        let wallet = self.wallet(purse).await?;
        let said = |error| trouble(&error, &wallet);
        let info = wallet.load_mint_info().await.map_err(said)?;
        // Lightning where the mint offers it for this unit; otherwise the first way that it names.
        let methods = info
            .nuts
            .nut04
            .methods
            .iter()
            .filter(|one| one.unit == wallet.unit);
        let method = methods
            .map(|one| one.method.clone())
            .min_by_key(|method| !method.is_bolt11())
            .ok_or(Error::Unsupported)?;
        let quote = wallet
            .mint_quote(method, Some(Amount::from(minor)), None, None)
            .await
            .map_err(said)?;
        Ok(Deposit {
            id: quote.id,
            request: quote.request,
            expires: Timestamp(quote.expiry),
        })
    }

    async fn collect(&self) -> Result<Vec<(Purse, u64)>, Error> {
        let quotes = self
            .ledger
            .get_unissued_mint_quotes()
            .await
            .map_err(not_saved)?;
        let mut purses: Vec<Purse> = Vec::new();
        for quote in quotes {
            let purse = Purse {
                custodian: custodian_of(&quote.mint_url)?,
                asset: asset_of(&quote.unit)?,
            };
            if !purses.contains(&purse) {
                purses.push(purse);
            }
        }
        let (mut came, mut missed) = (Vec::new(), None);
        for purse in purses {
            let wallet = match self.wallet(&purse).await {
                Err(Error::NotTrusted(_)) => continue,
                other => other?,
            };
            let _alone = self.purses.wait(&purse).await;
            match wallet.mint_unissued_quotes().await {
                Ok(Amount::ZERO) => {}
                Ok(amount) => came.push((purse, amount.to_u64())),
                // What others have is brought in all the same.
                Err(error) => missed = Some(trouble(&error, &wallet)),
            }
        }
        match missed {
            Some(error) if came.is_empty() => Err(error),
            Some(_) | None => Ok(came),
        }
    }

    async fn withdraw(&self, purse: &Purse, request: &str) -> Result<Withdrawal, Error> {
        let wallet = self.wallet(purse).await?;
        let said = |error| trouble(&error, &wallet);
        let _alone = self.paying_out.wait(purse).await;
        let quote = wallet
            .melt_quote(PaymentMethod::BOLT11, request, None, None)
            .await
            .map_err(said)?;
        // The mint says both, and may say anything.
        let need = quote.amount.checked_add(quote.fee_reserve);
        let need = need
            .ok_or(Error::AboveCeiling { ceiling: CEILING })?
            .to_u64();
        let have = free(&wallet).await?;
        if have < need {
            return Err(Error::NotEnough { have, need });
        }
        let prepared = wallet
            .prepare_melt(&quote.id, HashMap::new())
            .await
            .map_err(said)?;
        let done = prepared.confirm().await.map_err(said)?;
        Ok(Withdrawal {
            paid: done.amount().to_u64(),
            cost: done.fee_paid().to_u64(),
            proof: done.payment_proof().map(str::to_owned),
        })
    }

    async fn give(&self, purse: &Purse, minor: u64) -> Result<String, Error> {
        let wallet = self.wallet(purse).await?;
        let said = |error| trouble(&error, &wallet);
        let options = SendOptions {
            include_fee: true,
            ..SendOptions::default()
        };
        let _alone = self.purses.wait(purse).await;
        let have = free(&wallet).await?;
        if have < minor {
            return Err(Error::NotEnough { have, need: minor });
        }
        let prepared = wallet
            .prepare_send(Amount::from(minor), options)
            .await
            .map_err(said)?;
        Ok(prepared.confirm(None).await.map_err(said)?.to_string())
    }

    async fn given(&self) -> Result<Vec<Given>, Error> {
        let sagas = self
            .ledger
            .get_incomplete_sagas()
            .await
            .map_err(not_saved)?;
        let mut all = Vec::new();
        for saga in sagas {
            if let (WalletSagaState::Send(SendSagaState::TokenCreated), OperationData::Send(sent)) =
                (saga.state, saga.data)
            {
                all.push(Given {
                    purse: Purse {
                        custodian: custodian_of(&saga.mint_url)?,
                        asset: asset_of(&saga.unit)?,
                    },
                    minor: saga.amount.to_u64(),
                    text: sent.token.unwrap_or_default(),
                });
            }
        }
        Ok(all)
    }

    async fn examine(&self, text: &str) -> Result<(Purse, u64), Error> {
        let (token, purse) = read(text)?;
        let value = token.value().map_err(|_| Error::Damaged)?;
        Ok((purse, value.to_u64()))
    }

    async fn take(&self, text: &str) -> Result<Money, Error> {
        let (token, purse) = read(text)?;
        let wallet = self.wallet(&purse).await?;
        let proofs = proofs_of(&token, &wallet).await?;
        let (memo, text) = (token.memo().clone(), text.trim().to_owned());
        let came = self
            .bring_in(
                &purse,
                proofs,
                ReceiveOptions::default(),
                (memo, Some(text)),
                None,
            )
            .await?;
        Ok(Money::new(came, purse.asset))
    }

    async fn restore(&self, purse: &Purse) -> Result<u64, Error> {
        let wallet = self.wallet(purse).await?;
        let _locks = self.locking.wait(purse).await;
        let _alone = self.purses.wait(purse).await;
        let known = self.ledger.ys().await.map_err(not_saved)?;
        // The mint knows nothing of what is set aside or given away here, and cdk counts places once more for each time that it looks.
        // So it looks into an empty ledger, and only what is new here is taken over.
        let found = Ledger::open(Box::new(Memory::new())).await;
        let found = Arc::new(found.map_err(|error| Error::NotSaved(error.to_string()))?);
        let empty = self.wallet_over(found.clone(), wallet.mint_url.clone(), purse)?;
        empty
            .restore()
            .await
            .map_err(|error| trouble(&error, &wallet))?;
        let new = self.ledger.take_over(&found, &known).await;
        new.map_err(not_saved)
    }

    fn key(&self, party: Party, quote: &MessageId) -> Result<DealKey, Error> {
        let secret = self.secret(party, quote)?;
        Ok(DealKey(secret.public_key().to_bytes()))
    }

    async fn lock(&self, deal: &Deal) -> Result<Locked, Error> {
        self.payer(deal)?;
        let contract = &deal.contract;
        let limits = self.capabilities();
        if contract.amount.minor > limits.ceiling {
            return Err(Error::AboveCeiling {
                ceiling: limits.ceiling,
            });
        }
        let purse = purse_of(contract);
        let wallet = self.wallet(&purse).await?;
        let _alone = self.locking.wait(&purse).await;
        let before = match self.lock_of(contract).await? {
            Some(lock) if lock.undo.is_none() => return self.finish(lock).await,
            Some(lock) => self.unmade(lock).await,
            // Made all the same, before this purse was what it is now: by whoever has the words.
            None => self.found(deal, &wallet).await,
        };
        match before {
            Ok(Some(told)) => return Ok(told),
            Ok(None) => {}
            Err(error) => {
                // A mint that cannot say it is none to lock with.
                able(&wallet).await?;
                return Err(error);
            }
        }
        self.finish(self.begin(deal, &wallet).await?).await
    }

    async fn find(&self, deal: &Deal) -> Result<Option<Locked>, Error> {
        self.payer(deal)?;
        let purse = purse_of(&deal.contract);
        let wallet = self.wallet(&purse).await?;
        let _alone = self.locking.wait(&purse).await;
        match self.lock_of(&deal.contract).await? {
            Some(lock) => self.unmade(lock).await,
            None => match self.found(deal, &wallet).await {
                // None can ever be made of what the mint has signed of it.
                Err(Error::Mismatch(Mismatch::Spoiled)) => Ok(None),
                other => other,
            },
        }
    }

    async fn verify(&self, contract: &Contract, locked: &Locked) -> Result<(), Error> {
        let opened = self.opened(contract, locked).await?;
        able(&opened.wallet).await?;
        // What is another's to take after the deadline is nobody's loss but his, and he has no better lock to ask for.
        if contract.holder == Side::Buyer {
            outlives(&opened.keyset, contract)?;
        }
        let least = outputs::least(contract, &opened.sizes());
        if least.is_none_or(|least| opened.sum < least) {
            return Err(Mismatch::Amount.into());
        }
        match moved(&opened.wallet, &opened.proofs).await? {
            false => Ok(()),
            true => Err(Error::Spent),
        }
    }

    async fn propose(
        &self,
        deal: &Deal,
        locked: &Locked,
        outcome: Outcome,
    ) -> Result<Settlement, Error> {
        let secret = self.own(deal)?;
        let opened = self.opened(&deal.contract, locked).await?;
        let settlement = self.proposal(deal, &opened, outcome).await?;
        let usage = match outcome {
            Outcome::Split(_) | Outcome::Renew { .. } => Use::Sign,
            Outcome::Expired => Use::Hold,
        };
        Self::signed(deal, &secret, &opened, settlement, usage)
    }

    async fn cosign(
        &self,
        deal: &Deal,
        locked: &Locked,
        settlement: Settlement,
    ) -> Result<Settlement, Error> {
        if settlement.outcome == Outcome::Expired {
            return Err(Error::NotYours);
        }
        settlement.check()?;
        let secret = self.own(deal)?;
        let opened = self.opened(&deal.contract, locked).await?;
        Self::signed(deal, &secret, &opened, settlement, Use::Sign)
    }

    async fn execute(
        &self,
        contract: &Contract,
        locked: &Locked,
        settlement: &Settlement,
    ) -> Result<Option<Locked>, Error> {
        let opened = self.opened(contract, locked).await?;
        let wallet = &opened.wallet;
        let mut keyset = active_keys(wallet, false).await?;
        let signatures = loop {
            match self
                .carry_out(contract, &opened, settlement, keyset.id)
                .await?
            {
                Carried::Out(signatures) => break signatures,
                // Its keys have turned. Once more with the new ones, since what was signed does not name them.
                Carried::OldKeys => {
                    let fresh = active_keys(wallet, true).await?;
                    if fresh.id == keyset.id {
                        return Err(Error::Refused("the mint's keys are not in use".to_owned()));
                    }
                    keyset = fresh;
                }
            }
        };
        let Outcome::Renew { .. } = settlement.outcome else {
            return Ok(None);
        };
        let keyset_id = signatures.first().map_or(keyset.id, |one| one.keyset_id);
        let told = Told::new(settlement.salt, keyset_id, opened.rest()?, &signatures)?;
        Ok(Some(told.write()))
    }

    async fn claim(
        &self,
        deal: &Deal,
        locked: &Locked,
        settlement: &Settlement,
    ) -> Result<Money, Error> {
        let secret = self.own(deal)?;
        let contract = &deal.contract;
        let nothing = Money::new(0, contract.amount.asset);
        let opened = self.opened(contract, locked).await?;
        if settlement.contract != contract.id() {
            return Err(Error::NotYours);
        }
        let shares = opened.shares(contract, &settlement.outcome)?;
        let amounts = shares.into_iter().find(|(party, _)| *party == deal.party);
        let Some((party, amounts)) = amounts.filter(|(_, amounts)| !amounts.is_empty()) else {
            // Nothing to bring in. But whether it has come to that only the others' shares tell.
            let all = Self::request(contract, &opened, settlement, opened.keyset.id)?;
            return match carried_out(&opened, all.outputs()).await? {
                Some(_) => Ok(nothing),
                None => Err(Error::NotDone),
            };
        };
        let mine = outputs::outputs(contract, &settlement.salt, For::Pay(party), &amounts)?;
        let wallet = &opened.wallet;
        let messages = outputs::messages(&mine, opened.keyset.id);
        let signatures = match signed_for(&opened, &messages).await? {
            (Remembered::Signed(signatures), _) => signatures,
            // Something else was carried out, or nothing was, and it may be that this never can be.
            (Remembered::Nothing | Remembered::Spoiled, true) => return Err(Error::Spent),
            (Remembered::Spoiled, false) => return Err(Mismatch::Spoiled.into()),
            (Remembered::Nothing, false) => return Err(Error::NotDone),
        };
        let signed_by = signatures
            .first()
            .map_or(opened.keyset.id, |one| one.keyset_id);
        let keyset = self.keyset(wallet, signed_by).await?;
        let proofs = outputs::proofs(&mine, signatures, &keyset)?;
        let key = outputs::branch_secret(&secret, &contract.order, Use::Paid)?;
        let reason = Reason {
            why: share_of(deal, &settlement.outcome),
            order: Some(contract.order),
            operation: None,
        };
        let options = ReceiveOptions {
            p2pk_signing_keys: vec![key],
            metadata: HashMap::from([("contract".to_owned(), contract.id().to_string())]),
            ..ReceiveOptions::default()
        };
        let purse = purse_of(contract);
        let reason = Some(reason);
        match self
            .bring_in(&purse, proofs, options, (None, None), reason)
            .await
        {
            Ok(came) => Ok(Money::new(came, contract.amount.asset)),
            // Brought in before: nobody else has the key.
            Err(Error::Spent) => Ok(nothing),
            Err(error) => Err(error),
        }
    }

    async fn refund(&self, deal: &Deal, locked: &Locked) -> Result<Money, Error> {
        if Party::from(deal.contract.holder) != deal.party {
            return Err(Error::NotYours);
        }
        let settlement = self.propose(deal, locked, Outcome::Expired).await?;
        self.execute(&deal.contract, locked, &settlement).await?;
        self.claim(deal, locked, &settlement).await
    }

    async fn status(&self, contract: &Contract, locked: &Locked) -> Result<LockState, Error> {
        let state = async {
            let opened = self.opened(contract, locked).await?;
            moved(&opened.wallet, &opened.proofs).await
        };
        match state.await {
            Ok(true) => Ok(LockState::Moved),
            Ok(false) => Ok(LockState::Locked),
            Err(Error::Unknown(_)) => Ok(LockState::Unknown),
            Err(other) => Err(other),
        }
    }

    async fn catch_up(&self) -> Result<bool, Error> {
        let mut all = true;
        let mut done = self.caught_up.lock().await;
        for (mint, unit) in self.ledger.kinds().await.map_err(not_saved)? {
            // A mint may have keys for what no money of the market is counted in.
            let Ok(asset) = asset_of(&unit) else {
                continue;
            };
            let purse = Purse {
                custodian: custodian_of(&mint)?,
                asset,
            };
            if done.contains(&purse) {
                continue;
            }
            // First the places of the seed that were used since: what is drawn from them again, no mint signs.
            let caught_up = async {
                self.restore(&purse).await?;
                let wallet = self.wallet(&purse).await?;
                let _alone = self.purses.wait(&purse).await;
                let free = wallet
                    .get_unspent_proofs()
                    .await
                    .map_err(|error| trouble(&error, &wallet))?;
                let ys = free.ys().map_err(|_| Error::Damaged)?;
                let gone = spent(&wallet, &ys).await?;
                self.ledger.spent_elsewhere(&gone).await.map_err(not_saved)
            };
            match caught_up.await {
                // Who is not trusted any more is caught up with by a restore, once he is.
                Err(Error::NotTrusted(_)) => {}
                Ok(()) => {
                    done.insert(purse);
                }
                Err(Error::NotSaved(why)) => return Err(Error::NotSaved(why)),
                Err(error) => {
                    tracing::debug!(%error, "a purse is not up to date yet");
                    all = false;
                }
            }
        }
        if all {
            // Whoever asks again then has another backup in mind.
            done.clear();
        }
        Ok(all)
    }

    async fn recover(&self) -> Result<bool, Error> {
        let mut all = true;
        let sagas = self
            .ledger
            .get_incomplete_sagas()
            .await
            .map_err(not_saved)?;
        // An operation that was cut off before it was saved itself has left records all the same.
        let pending = self
            .ledger
            .get_proofs(
                None,
                None,
                Some(vec![State::Pending, State::Reserved]),
                None,
            )
            .await
            .map_err(not_saved)?;
        let of_sagas = sagas.iter().map(|one| (&one.mint_url, &one.unit));
        let of_proofs = pending.iter().map(|one| (&one.mint_url, &one.unit));
        let mut purses: Vec<Purse> = Vec::new();
        for (mint, unit) in of_sagas.chain(of_proofs) {
            let purse = Purse {
                custodian: custodian_of(mint)?,
                asset: asset_of(unit)?,
            };
            if !purses.contains(&purse) {
                purses.push(purse);
            }
        }
        for purse in purses {
            let _alone = self.purses.wait(&purse).await;
            match self.pick_up(&purse).await {
                Ok(ended) => all &= ended,
                // It stays written down until he is named again.
                Err(Error::NotTrusted(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let locks: Vec<Lock> = self.ledger.lock_records().await.map_err(not_saved)?;
        for lock in locks.iter().filter(|lock| lock.told.is_none()) {
            let contract = &lock.deal.contract;
            let _alone = self.locking.wait(&purse_of(contract)).await;
            // Somebody may have ended it while this one waited.
            let ended = match self.lock_of(contract).await? {
                Some(lock) if lock.undo.is_some() => self.unmade(lock).await.map(drop),
                Some(lock) => self.finish(lock).await.map(drop),
                None => Ok(()),
            };
            match ended {
                Ok(()) => {}
                Err(Error::NotSaved(why)) => return Err(Error::NotSaved(why)),
                Err(error) => {
                    tracing::warn!(code = error.code(), "a lock could not be ended now");
                    all &= !matches!(error, Error::Unknown(_));
                }
            }
        }
        Ok(all)
    }
}
