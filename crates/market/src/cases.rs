//! What an arbiter has before him: two who chose him disagree about what is locked between them, and at least one has asked.
//!
//! A case is one order. Each of the two can ask, in an exchange of his own; both are heard in one case, and both get one ruling. Nobody is
//! believed: the order and its confirmation are shown as both have signed them, the contract has to follow from them and name my key, and my
//! rail has to find it locked. My signature alone moves nothing, and none of it comes after the deadline of the lock.

use std::collections::BTreeMap;

use haggle_protocol::arbitration::{ArbiterTerms, Dispute, Ruling};
use haggle_protocol::limits::{NOTE_MAX, PRIVATE_LIFETIME_MAX};
use haggle_protocol::private::Body;
use haggle_protocol::settlement::Deal;
use haggle_protocol::{
    Contract, DealKey, EscrowPlan, IntentId, Locked, MessageId, Money, Outcome, Party, PublicKey,
    Refusal, Settlement, Side, Split, ThreadId, Timestamp, text,
};
use serde::{Deserialize, Serialize};

use crate::asking::{AGAIN_MAX, Asking, LOOK_AGAIN};
use crate::batch::Batch;
use crate::command::{Arbitration, Complaint, Draft};
use crate::effect::Ask;
use crate::escrow::bad_words;
use crate::input::{Job, Paid, Trouble};
use crate::mail::Opened;
use crate::market::Market;
use crate::view::{self, CaseState, ClaimView, RulingView};

/// Cases that wait for a ruling at once: more than a person decides. Who asks then is told to ask again later.
const OPEN_MAX: usize = 64;
/// Cases that are kept in all; the oldest that is over makes room.
const KEPT_MAX: usize = 256;
/// How long a case is kept after the deadline of its lock, in seconds: for words, and until the fee has come in.
const KEPT_AFTER: u64 = 30 * 24 * 60 * 60;
/// How long it is waited before a ruling that could not be sent is tried again, in seconds.
const SAY_AGAIN: u64 = 60;
/// The quote by which an arbiter's key is made: the same for all.
const NO_QUOTE: MessageId = MessageId([0; 32]);
/// The exchange of a question that belongs to none.
const NO_THREAD: ThreadId = ThreadId([0; 32]);

/// Everything that I decide for others.
#[derive(Default)]
pub(crate) struct Court {
    /// My keys, by rail, as far as they were asked for since this peer started.
    keys: BTreeMap<String, DealKey>,
    /// Which rail is being asked for my key.
    asked: Option<(Job, String)>,
    /// By order.
    pub(crate) cases: BTreeMap<MessageId, Case>,
}

/// What two others disagree about.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    intent: IntentId,
    plan: EscrowPlan,
    /// At most one of each side.
    claims: Vec<Claim>,
    /// When the first one asked about what is locked now.
    since: Timestamp,
    /// What is said to be locked and was not looked at yet.
    claimed: Option<Held>,
    /// What is locked, as my rail has found.
    lock: Option<Held>,
    /// What I want to rule, until it is signed.
    wanted: Option<Split>,
    /// Until when I want the seller to hold it, until that is signed.
    #[serde(default)]
    renewal: Option<Timestamp>,
    words: String,
    ruling: Option<Settlement>,
    /// The money went another way, or was never there.
    gone: bool,
    /// What came to me, in minor units.
    earned: Option<u64>,
    trouble: Option<String>,
    #[serde(skip)]
    asking: Asking,
    #[serde(skip)]
    say_next: Timestamp,
}

/// Money under a contract.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    contract: Contract,
    locked: Locked,
}

/// What one of the two wants.
#[derive(Clone, Serialize, Deserialize)]
struct Claim {
    thread: ThreadId,
    side: Side,
    trader: PublicKey,
    buyer: u64,
    words: String,
    at: Timestamp,
    /// The message that brought him the ruling, until when it is tried, and whether it arrived.
    said: Option<(MessageId, Timestamp, bool)>,
    /// Why he does not take it.
    #[serde(default)]
    refused: Option<String>,
}

impl Arbitration {
    /// As others see them.
    pub(crate) fn of(terms: &ArbiterTerms) -> Self {
        Self {
            rail: terms.rail.clone(),
            fee: terms.fee,
            within: terms.within,
        }
    }

    fn terms(&self, key: DealKey) -> ArbiterTerms {
        ArbiterTerms {
            rail: self.rail.clone(),
            key,
            fee: self.fee,
            within: self.within,
        }
    }

    /// As they will look, before the rail has named the key.
    pub(crate) fn shown(&self) -> ArbiterTerms {
        self.terms(DealKey([2; DealKey::LEN]))
    }
}

impl Court {
    /// Whether a rail was asked this for the court, and not for a trade of mine.
    pub(crate) fn awaits(&self, job: &Job) -> bool {
        let key = self.asked.as_ref().is_some_and(|(asked, _)| asked == job);
        key || self.case_of(job).is_some()
    }

    fn case_of(&self, job: &Job) -> Option<MessageId> {
        let mut cases = self.cases.iter();
        cases.find_map(|(order, case)| case.asking.is_out(job).then_some(*order))
    }

    /// Makes room for one more; whether there is some.
    fn make_room(&mut self, now: Timestamp) -> Result<Option<MessageId>, Refusal> {
        let open = self.cases.values().filter(|case| case.is_open(now));
        if open.count() >= OPEN_MAX {
            return Err(Refusal::WhisperRate);
        }
        if self.cases.len() < KEPT_MAX {
            return Ok(None);
        }
        let over = self.cases.iter().filter(|(_, case)| !case.is_open(now));
        let oldest = over.min_by_key(|(_, case)| case.since);
        Ok(oldest.map(|(order, _)| *order))
    }
}

impl Case {
    /// The newest lock that I was told of, looked at or not.
    fn held(&self) -> Option<&Held> {
        self.lock.as_ref().or(self.claimed.as_ref())
    }

    /// Until when it is locked; the plan's own deadline if nothing is.
    fn deadline(&self) -> Timestamp {
        self.held()
            .map_or(self.plan.deadline, |it| it.contract.deadline)
    }

    fn state(&self, now: Timestamp) -> CaseState {
        if self.ruling.is_some() {
            return CaseState::Ruled;
        }
        if self.gone || self.held().is_none() {
            return CaseState::Gone;
        }
        if self.deadline() <= now {
            return CaseState::Missed;
        }
        match (&self.lock, self.outcome()) {
            (Some(_), Some(_)) => CaseState::Signing,
            (Some(_), None) => CaseState::Open,
            (None, _) => CaseState::Looking,
        }
    }

    fn is_open(&self, now: Timestamp) -> bool {
        match self.state(now) {
            CaseState::Looking | CaseState::Open | CaseState::Signing => true,
            CaseState::Ruled | CaseState::Gone | CaseState::Missed => false,
        }
    }

    /// What I want to rule, if it is not signed yet.
    fn outcome(&self) -> Option<Outcome> {
        let renewed = self.renewal.map(|deadline| Outcome::Renew {
            holder: Side::Seller,
            deadline,
        });
        self.wanted.map(Outcome::Split).or(renewed)
    }

    /// Whether I can decide that it counts as sent: what is locked would go back to the buyer.
    fn may_renew(&self) -> bool {
        let lock = self.lock.as_ref();
        lock.is_some_and(|it| it.contract.holder == Side::Buyer)
    }

    /// What I take of what is locked.
    fn fee(&self) -> u64 {
        let terms = self.plan.arbiter.as_ref().map(|it| &it.terms);
        terms.map_or(0, |it| it.fee_of(self.plan.minor))
    }

    fn share(settlement: &Settlement) -> u64 {
        match settlement.outcome {
            Outcome::Split(split) => split.arbiter,
            Outcome::Renew { .. } | Outcome::Expired => 0,
        }
    }

    /// What the rail has to be asked now, if anything.
    fn next(&self, now: Timestamp) -> Option<Ask> {
        if self.gone {
            return None;
        }
        let looks = self.claimed.as_ref().map(|claimed| Ask::Verify {
            contract: claimed.contract.clone(),
            locked: claimed.locked.clone(),
        });
        let Some(lock) = &self.lock else {
            return looks;
        };
        let deal = Deal {
            contract: lock.contract.clone(),
            party: Party::Arbiter,
            quote: NO_QUOTE,
        };
        let locked = lock.locked.clone();
        let asks = match (&self.ruling, self.outcome()) {
            (None, Some(outcome)) if now < lock.contract.deadline => Some(Ask::Propose {
                deal,
                locked,
                outcome,
            }),
            (Some(settlement), _) if self.earned.is_none() && Self::share(settlement) > 0 => {
                Some(Ask::Claim {
                    deal,
                    locked,
                    settlement: settlement.clone(),
                })
            }
            (None | Some(_), _) => None,
        };
        // What somebody else claims holds no ruling up.
        let ruling = asks.filter(|_| self.ruling.is_none() || looks.is_none());
        ruling.or(looks)
    }

    /// The rail has answered.
    fn answered(&mut self, ask: Ask, answer: Result<Paid, Trouble>, now: Timestamp) {
        let answer = match answer {
            Ok(paid) => {
                self.asking.at_once();
                self.trouble = None;
                self.did(ask, paid, now);
                return;
            }
            Err(trouble) => trouble,
        };
        self.asking.again(AGAIN_MAX, now);
        let is_final = matches!(answer, Trouble::Spent | Trouble::Never(_));
        let spent = answer == Trouble::Spent;
        match ask {
            Ask::Verify { contract, locked } if is_final => {
                let looked_at = Held { contract, locked };
                self.claimed.take_if(|it| *it == looked_at);
                self.asking.at_once();
            }
            // Perhaps it was locked anew, and that is what somebody claims.
            Ask::Propose { .. } if spent && self.claimed.is_some() => {
                (self.lock, self.wanted, self.renewal) = (None, None, None);
                self.asking.at_once();
            }
            Ask::Propose { .. } if spent => self.gone = true,
            Ask::Propose { .. } if is_final => (self.wanted, self.renewal) = (None, None),
            Ask::Claim { .. } if is_final => self.earned = Some(0),
            Ask::Claim { .. } => {
                // Nobody has carried it out yet.
                self.asking.again(LOOK_AGAIN, now);
                return;
            }
            Ask::Verify { .. }
            | Ask::Propose { .. }
            | Ask::Key { .. }
            | Ask::Lock { .. }
            | Ask::Find { .. }
            | Ask::Cosign { .. }
            | Ask::Execute { .. }
            | Ask::Refund { .. }
            | Ask::Status { .. } => {}
        }
        self.trouble = Some(answer.into_code());
    }

    fn did(&mut self, ask: Ask, paid: Paid, now: Timestamp) {
        match (ask, paid) {
            (Ask::Verify { contract, locked }, Paid::Done) => {
                let looked_at = Held { contract, locked };
                let found = self.claimed.take_if(|it| *it == looked_at);
                self.lock = found.or_else(|| self.lock.take());
                // What was ruled about a lock before this one can never come true.
                let of = self.lock.as_ref().map(|it| it.contract.id());
                if self.ruling.as_ref().map(|it| it.contract) != of {
                    self.since = now;
                    (self.wanted, self.renewal) = (None, None);
                    (self.ruling, self.gone) = (None, false);
                    for claim in &mut self.claims {
                        (claim.said, claim.refused) = (None, None);
                    }
                }
            }
            (Ask::Propose { .. }, Paid::Settlement(settlement)) => self.ruling = Some(settlement),
            (Ask::Claim { settlement, .. }, Paid::Money(money)) => {
                // A rail says what came in now: nothing, if it had come in before and only the answer was lost.
                self.earned = Some(money.minor.max(Self::share(&settlement)));
            }
            // Not an answer to what was asked.
            _ => self.asking.again(AGAIN_MAX, now),
        }
    }

    /// When it is forgotten.
    fn ends(&self) -> Timestamp {
        self.deadline() + KEPT_AFTER
    }

    /// When a ruling has to be said to somebody, again or for the first time.
    fn say_at(&self, claim: &Claim, now: Timestamp) -> Option<Timestamp> {
        let open = self.ruling.is_some() && now < self.deadline();
        let at = match claim.said {
            Some((_, _, true)) => None,
            Some((_, until, false)) => Some(until.max(self.say_next)),
            None => Some(self.say_next),
        };
        at.filter(|at| open && *at < self.deadline())
    }
}

impl Market {
    /// The terms on which a draft's writer decides, with his key, if he does.
    ///
    /// # Errors
    /// `no-rail`; `rail-not-ready` while the rail is being asked for the key.
    pub(crate) fn arbiter_of(
        &mut self,
        draft: &Draft,
        batch: &mut Batch,
    ) -> Result<Option<ArbiterTerms>, Complaint> {
        let Some(arbitration) = &draft.arbiter else {
            return Ok(None);
        };
        let rail = &arbitration.rail;
        if !self.rails.iter().any(|it| it.name == *rail) {
            let sentence = "This way of paying is not set up here.";
            return Err(Complaint::about("no-rail", "arbiter", sentence));
        }
        if let Some(key) = self.court.keys.get(rail) {
            return Ok(Some(arbitration.terms(*key)));
        }
        let ask = Ask::Key {
            party: Party::Arbiter,
            quote: NO_QUOTE,
        };
        let job = self.ask_rail(NO_THREAD, rail.clone(), ask, batch);
        self.court.asked = Some((job, rail.clone()));
        let sentence = "The way of paying is being asked for your key. Try again in a moment.";
        Err(Complaint::about("rail-not-ready", "arbiter", sentence))
    }

    /// A rail has answered the court.
    pub(crate) fn court_hears(
        &mut self,
        job: Job,
        answer: Result<Paid, Trouble>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        if let Some((_, rail)) = self.court.asked.take_if(|(asked, _)| *asked == job) {
            if let Ok(Paid::Key(key)) = answer {
                self.court.keys.insert(rail, key);
            }
            return;
        }
        let Some(order) = self.court.case_of(&job) else {
            return;
        };
        let Some(case) = self.court.cases.get_mut(&order) else {
            return;
        };
        if let Some(ask) = case.asking.answered(&job) {
            case.answered(ask, answer, now);
        }
        batch.case(order);
        self.judge(order, now, batch);
    }

    /// Somebody asks me to decide. It is refused unless he is one of the two who have signed what he shows, and both chose me on my terms.
    pub(crate) fn hear_dispute(
        &mut self,
        opened: &Opened,
        said: &Dispute,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let intent = opened.message.intent;
        let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
        let terms = mine.intent.arbiter.as_ref().ok_or(Refusal::WrongState)?;
        let shown = said.shown(self.pen.network)?;
        let chosen = shown.plan.arbiter.as_ref().ok_or(Refusal::BadField)?;
        if chosen.intent != intent || chosen.terms != *terms {
            return Err(Refusal::BadField);
        }
        let trader = opened.message.trader.ok_or(Refusal::NoTrader)?.trader;
        let side = shown.side(&trader).ok_or(Refusal::BadTraderProof)?;
        if said.buyer > shown.plan.minor - terms.fee_of(shown.plan.minor) {
            return Err(Refusal::WrongSum);
        }
        if said.contract.deadline <= now + u64::from(terms.within) {
            return Err(Refusal::TooLate);
        }
        let order = said.contract.order;
        if !self.court.cases.contains_key(&order)
            && let Some(oldest) = self.court.make_room(now)?
        {
            self.forget_case(oldest, now, batch);
        }
        let begun = self.begin_buyer(opened, None, now, batch);
        begun.map_err(|refusal| match refusal == Refusal::TooManyQuotes {
            true => Refusal::WhisperRate,
            false => refusal,
        })?;
        let thread = opened.message.thread;
        if let Some(with) = self.threads.get_mut(&thread) {
            with.keep_for_ruling(said.contract.deadline + KEPT_AFTER, None);
        }
        batch.thread(thread);
        let case = self.court.cases.entry(order).or_insert_with(|| Case {
            intent,
            plan: shown.plan,
            claims: Vec::new(),
            since: now,
            claimed: None,
            lock: None,
            wanted: None,
            renewal: None,
            words: String::new(),
            ruling: None,
            gone: false,
            earned: None,
            trouble: None,
            asking: Asking::default(),
            say_next: Timestamp(0),
        });
        case.claims.retain(|it| it.side != side);
        case.claims.push(Claim {
            thread,
            side,
            trader,
            buyer: said.buyer,
            words: said.words.clone(),
            at: now,
            said: None,
            refused: None,
        });
        let held = Held {
            contract: said.contract.clone(),
            locked: said.locked.clone(),
        };
        if case.lock.as_ref() != Some(&held) {
            case.claimed = Some(held);
            case.gone = false;
            case.asking.at_once();
        }
        batch.case(order);
        self.judge(order, now, batch);
        Ok(())
    }

    /// A case that I can decide now.
    fn undecided(&mut self, order: MessageId, now: Timestamp) -> Result<&mut Case, Complaint> {
        let case = self.court.cases.get_mut(&order).ok_or_else(|| {
            let sentence = "There is no such case here.";
            Complaint::about("no-such-case", "case", sentence)
        })?;
        let not_now = |code: &str, sentence: &str| Err(Complaint::new(code, sentence));
        match case.state(now) {
            CaseState::Open => Ok(case),
            CaseState::Signing | CaseState::Ruled => {
                not_now("ruled", "You have decided this already.")
            }
            CaseState::Looking => {
                let sentence =
                    "It is still being looked whether the money is there. Try again in a moment.";
                not_now("not-looked-at", sentence)
            }
            CaseState::Gone => {
                let sentence = "The money is not there any more, so there is nothing to decide.";
                not_now("gone", sentence)
            }
            CaseState::Missed => {
                let sentence = "The deadline is over: the money is for whoever holds it now.";
                not_now("too-late", sentence)
            }
        }
    }

    /// I decide that it counts as sent: the seller holds it, and the buyer has as long to object as from a word of the seller's.
    pub(crate) fn renew(
        &mut self,
        order: MessageId,
        words: String,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let case = self.undecided(order, now)?;
        if !case.may_renew() {
            let sentence = "The seller holds it already. Share it out, or leave it to him.";
            return Err(Complaint::new("held-by-seller", sentence));
        }
        text::paragraphs(&words, NOTE_MAX).map_err(|_| bad_words())?;
        case.renewal = Some(now + u64::from(case.plan.review));
        case.words = words;
        case.asking.at_once();
        batch.case(order);
        self.judge(order, now, batch);
        Ok(())
    }

    /// I decide: so much to the buyer, my fee to me, the rest to the seller.
    pub(crate) fn rule(
        &mut self,
        order: MessageId,
        buyer: u64,
        words: String,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let case = self.undecided(order, now)?;
        let fee = case.fee();
        let shared = case.plan.minor.saturating_sub(fee);
        let Some(seller) = shared.checked_sub(buyer) else {
            let sentence = "That is more than is locked, less what you take.";
            return Err(Complaint::about("wrong-sum", "buyer", sentence));
        };
        text::paragraphs(&words, NOTE_MAX).map_err(|_| bad_words())?;
        case.wanted = Some(Split {
            buyer,
            seller,
            arbiter: fee,
        });
        case.words = words;
        case.asking.at_once();
        batch.case(order);
        self.judge(order, now, batch);
        Ok(())
    }

    /// The rail is asked at once about the case in which this exchange is one of those with whoever has asked.
    pub(crate) fn hurry_case(
        &mut self,
        with: ThreadId,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Option<()> {
        let mut cases = self.court.cases.iter_mut();
        let (order, case) =
            cases.find(|(_, case)| case.claims.iter().any(|it| it.thread == with))?;
        case.asking.at_once();
        let order = *order;
        batch.case(order);
        self.judge(order, now, batch);
        Some(())
    }

    /// Does what is to be done for a case now: says the ruling, asks the rail, forgets it.
    pub(crate) fn judge(&mut self, order: MessageId, now: Timestamp, batch: &mut Batch) {
        let Some(case) = self.court.cases.get(&order) else {
            return;
        };
        if case.ends() <= now {
            self.forget_case(order, now, batch);
            return;
        }
        batch.due.insert(crate::batch::Subject::Case(order));
        batch.cases.insert(order);
        self.say_ruling(order, now, batch);
        let Some(case) = self.court.cases.get(&order) else {
            return;
        };
        if case.asking.rests(now) {
            return;
        }
        let (Some(ask), Some(claim)) = (case.next(now), case.claims.first()) else {
            return;
        };
        let (thread, rail) = (claim.thread, case.plan.keeper.rail.clone());
        let job = self.ask_rail(thread, rail, ask.clone(), batch);
        if let Some(case) = self.court.cases.get_mut(&order) {
            case.asking.asks(job, ask);
        }
    }

    /// Each who asked hears the ruling, until it has arrived or its time is over.
    fn say_ruling(&mut self, order: MessageId, now: Timestamp, batch: &mut Batch) {
        let Some(case) = self.court.cases.get(&order) else {
            return;
        };
        let Some(settlement) = case.ruling.clone() else {
            return;
        };
        let (words, deadline) = (case.words.clone(), case.deadline());
        let due = |claim: &&Claim| case.say_at(claim, now).is_some_and(|at| at <= now);
        let due: Vec<ThreadId> = case.claims.iter().filter(due).map(|it| it.thread).collect();
        for thread in due {
            let body = Body::Ruling(Ruling {
                settlement: settlement.clone(),
                words: words.clone(),
            });
            let until = deadline.min(now + PRIVATE_LIFETIME_MAX);
            let sent = self.send(thread, body, until, now, batch);
            let Some(case) = self.court.cases.get_mut(&order) else {
                return;
            };
            match sent {
                Ok(message) => {
                    for claim in case.claims.iter_mut().filter(|it| it.thread == thread) {
                        claim.said = Some((message, until, false));
                    }
                    batch.case(order);
                }
                // Too much waits for him already, or he is forgotten here.
                Err(_) => case.say_next = now + SAY_AGAIN,
            }
        }
    }

    /// A ruling arrived, or is not taken: either way it is not said again.
    pub(crate) fn ruling_heard(
        &mut self,
        message: MessageId,
        refusal: Option<Refusal>,
        batch: &mut Batch,
    ) {
        for (order, case) in &mut self.court.cases {
            for claim in &mut case.claims {
                let said = claim.said.as_mut().filter(|(one, ..)| *one == message);
                if let Some((_, _, arrived)) = said {
                    *arrived = true;
                    claim.refused = refusal.map(|it| it.code().to_owned());
                    batch.case(*order);
                }
            }
        }
    }

    pub(crate) fn case_deadline(&self, order: &MessageId, now: Timestamp) -> Option<Timestamp> {
        let case = self.court.cases.get(order)?;
        let ask = case.asking.may_at(now);
        let ask = ask.filter(|_| case.next(now).is_some());
        let say = case.claims.iter().filter_map(|it| case.say_at(it, now));
        let say = say.map(|at| at.max(now));
        let over = Some(case.deadline()).filter(|at| *at > now);
        let all = say.chain(ask).chain(over).chain([case.ends()]);
        all.min()
    }

    fn forget_case(&mut self, order: MessageId, now: Timestamp, batch: &mut Batch) {
        let Some(case) = self.court.cases.remove(&order) else {
            return;
        };
        batch.case(order);
        for claim in &case.claims {
            let mut others = self.court.cases.values().flat_map(|it| &it.claims);
            let still = others.any(|it| it.thread == claim.thread);
            // Once nobody can write to the intent any more, nothing else of it is kept.
            let mine = self.intents.get(&case.intent);
            if !still && mine.is_none_or(|mine| mine.seal.is_none()) {
                self.remove_thread(claim.thread, now, batch);
            }
        }
    }

    /// A case, as a face sees it.
    pub(crate) fn case(&self, order: &MessageId, now: Timestamp) -> Option<view::Case> {
        let case = self.court.cases.get(order)?;
        let asset = case.plan.keeper.asset;
        let within = case.plan.arbiter.as_ref().map_or(0, |it| it.terms.within);
        let claims = case.claims.iter().map(|claim| ClaimView {
            thread: claim.thread,
            side: claim.side,
            trader: claim.trader,
            buyer: claim.buyer,
            words: claim.words.clone(),
            at: claim.at,
            told: matches!(claim.said, Some((_, _, true))) && claim.refused.is_none(),
            refused: claim.refused.clone(),
        });
        let ruled = case.ruling.as_ref().map(|it| it.outcome);
        Some(view::Case {
            order: *order,
            intent: case.intent,
            keeper: case.plan.keeper.clone(),
            amount: case.plan.amount(),
            fee: case.fee(),
            claims: claims.collect(),
            holder: case.held().map_or(Side::Buyer, |it| it.contract.holder),
            deadline: case.deadline(),
            rule_by: case.deadline().min(case.since + u64::from(within)),
            state: case.state(now),
            review: case.may_renew().then_some(case.plan.review),
            ruling: ruled.and_then(|outcome| match outcome {
                Outcome::Split(split) => Some(RulingView {
                    buyer: split.buyer,
                    seller: split.seller,
                    arbiter: split.arbiter,
                    words: Some(case.words.clone()),
                    held_until: None,
                }),
                Outcome::Renew { deadline, .. } => Some(RulingView {
                    buyer: 0,
                    seller: 0,
                    arbiter: 0,
                    words: Some(case.words.clone()),
                    held_until: Some(deadline),
                }),
                Outcome::Expired => None,
            }),
            earned: case.earned.map(|minor| Money::new(minor, asset)),
            trouble: case.trouble.clone(),
        })
    }
}
