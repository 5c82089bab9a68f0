//! What I want: published, revised, renewed, withdrawn, over; and where I can be reached for it.
//!
//! A frame lives half an hour and is renewed under the same key for as long as its owner wants, so an owner who left is
//! forgotten soon and one who stays is not. Where he can be reached is a record of its own, said anew whenever it changes:
//! a reload changes it, and the intent keeps its name.

use std::collections::VecDeque;

use haggle_book::Source;
use haggle_protocol::frame::{Facets, Header};
use haggle_protocol::intent::{Budget, Delivery, IntentClose, Revision, SealKey};
use haggle_protocol::keys::{Mark, SealSecret, SigningKey};
use haggle_protocol::limits::{
    ATTRIBUTES_MAX, BODY_MAX, DETAILS_MAX, FRAME_OVERHEAD, LIFETIME_DEFAULT, PLACES_MAX, TITLE_MAX,
};
use haggle_protocol::seal::Hint;
use haggle_protocol::{
    ArbiterTerms, Frame, FrameId, Intent, IntentId, Kind, MessageId, Money, PublicKey, Quantity,
    Reach, Refusal, SealPublic, ThreadId, Timestamp, text,
};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Subject};
use crate::command::{
    Arbitration, Complaint, Draft, OPEN_DEFAULT, OPEN_MAX, OPEN_MIN, Preview, Taste,
};
use crate::effect::Effect;
use crate::mail::Lock;
use crate::market::Market;
use crate::record::{Opener, hex_bytes};
use crate::threads::Deal;
use crate::view::{IntentState, Role};

/// Names of frames of one intent that a quote may answer: two days of renewals. Who answers an older one has not
/// listened for long, and hears that it is unknown.
const FRAMES_KEPT: usize = 144;
/// How long an intent's seal key is kept after its end, in seconds: for what was on its way. Then nothing that was
/// sealed to it opens any more, for anybody.
const KEY_KEPT: u64 = 24 * 60 * 60;
/// How long the way to me is renewed for a trade that does not come to its end, in seconds.
const TRADE_REACH: u64 = 7 * 24 * 60 * 60;
/// How long the way to me is renewed after a trade's end, in seconds: my last acknowledgement may have been lost, and its
/// seller goes on trying to bring what I have had long ago.
const LAST_WORD: u64 = 24 * 60 * 60;
/// Exchanges that are remembered to have made room for better quotes: twice as many as an intent usually takes.
const CROWDED_OUT_KEPT: usize = 128;
/// Quotes that are remembered to have been refused for good, since there was no room for them.
const TURNED_AWAY_KEPT: usize = 128;
/// The shortest time for which quotes can be taken, in seconds.
const QUOTES_MIN: u64 = 60;

/// One of my intents.
#[derive(Serialize, Deserialize)]
pub(crate) struct Mine {
    pub(crate) id: IntentId,
    pub(crate) key: PublicKey,
    pub(crate) mark: Mark,
    pub(crate) seal: Option<Opener>,
    pub(crate) seal_public: SealPublic,
    pub(crate) draft: Draft,
    pub(crate) intent: Intent,
    /// Names of its frames, the first one first, then the newest ones.
    pub(crate) frames: Vec<FrameId>,
    pub(crate) created: Timestamp,
    pub(crate) until: Timestamp,
    /// The highest revision number said under its key, of whatever kind.
    rev: u64,
    /// The frame that holds now.
    #[serde(with = "hex_bytes")]
    frame: Vec<u8>,
    frame_created: Timestamp,
    frame_expires: Timestamp,
    pub(crate) state: IntentState,
    pub(crate) ended: Option<Timestamp>,
    /// Whose quote was taken.
    pub(crate) taken: Option<ThreadId>,
    /// Exchanges that made room for better quotes, the oldest first: their keys are deleted, so they cannot come back.
    #[serde(default)]
    pub(crate) crowded_out: VecDeque<ThreadId>,
    /// Quotes that were refused for good, until they expire: their sellers count on that.
    #[serde(default)]
    turned_away: Vec<(MessageId, Timestamp)>,
    /// Said to the network since this peer started.
    #[serde(skip)]
    pub(crate) said: bool,
    /// When the record of where I am was said last, and when it ends.
    #[serde(skip)]
    reach_said: Option<(Timestamp, Timestamp)>,
}

impl core::fmt::Debug for Mine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Mine")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Mine {
    /// Whether quotes are taken or may be taken again.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, IntentState::Open | IntentState::Ordered)
    }

    /// An exchange made room for a better quote, and stays away.
    pub(crate) fn crowd_out(&mut self, thread: ThreadId) {
        if self.crowded_out.len() >= CROWDED_OUT_KEPT {
            self.crowded_out.pop_front();
        }
        self.crowded_out.push_back(thread);
    }

    /// Whether a quote was refused for good: then so are all its copies.
    pub(crate) fn has_turned_away(&self, quote: MessageId) -> bool {
        self.turned_away.iter().any(|(one, _)| *one == quote)
    }

    /// There is no room for a quote. What cannot be remembered is not refused for good: its seller tries again.
    pub(crate) fn turn_away(
        &mut self,
        quote: MessageId,
        expires: Timestamp,
        now: Timestamp,
    ) -> Refusal {
        self.turned_away.retain(|(_, expires)| *expires > now);
        if self.turned_away.len() >= TURNED_AWAY_KEPT {
            return Refusal::WhisperRate;
        }
        self.turned_away.push((quote, expires));
        Refusal::TooManyQuotes
    }

    /// The most that is paid, as far as its owner has said so to anybody.
    pub(crate) fn limit(&self) -> Option<Money> {
        self.draft.limit.or(match self.draft.budget {
            Budget::Public(money) => Some(money),
            Budget::Sealed(_) | Budget::Band(..) => None,
        })
    }

    fn next_rev(&mut self, now: Timestamp) -> Revision {
        self.rev = now.to_minute().0.max(self.rev + 1);
        Revision {
            first: self.id,
            rev: self.rev,
        }
    }

    /// One of mine that was heard, and of which nothing else is left: what was private of it is gone.
    pub(crate) fn found(
        id: IntentId,
        frame: &Frame,
        intent: Intent,
        seal: Opener,
        seal_public: SealPublic,
    ) -> Self {
        let header = frame.header();
        let until = intent
            .until
            .map_or(header.expires, |until| until.max(header.expires));
        let draft = Draft {
            title: intent.title.clone(),
            details: intent.details.clone(),
            category: intent.category,
            wishes: intent.wishes.clone(),
            quantity: intent.quantity,
            budget: intent.budget,
            limit: None,
            deliveries: intent.deliveries.clone(),
            places: intent.places.clone(),
            window: intent.window,
            open_for: None,
            quotes_for: None,
            lang: intent.lang.clone(),
            taste: Taste::default(),
            arbiter: intent.arbiter.as_ref().map(Arbitration::of),
        };
        Self {
            id,
            key: header.key,
            mark: intent.mark,
            seal: Some(seal),
            seal_public,
            draft,
            intent,
            frames: vec![FrameId(id.0), frame.id()],
            created: header.created,
            until,
            rev: 0,
            frame: frame.bytes().to_vec(),
            frame_created: header.created,
            frame_expires: header.expires,
            state: IntentState::Open,
            ended: None,
            taken: None,
            crowded_out: VecDeque::new(),
            turned_away: Vec::new(),
            said: false,
            reach_said: None,
        }
    }

    /// What is said from now on has a higher revision than this.
    pub(crate) fn outrank(&mut self, rev: u64) {
        self.rev = self.rev.max(rev);
    }

    /// When two thirds of a span are over.
    const fn two_thirds(from: Timestamp, to: Timestamp) -> Timestamp {
        Timestamp(from.0 + to.since(from) * 2 / 3)
    }
}

/// A draft that was checked, with its times.
struct Checked {
    intent: Intent,
    until: Timestamp,
    expires: Timestamp,
}

impl Market {
    /// What of a draft everybody would see, and what stays here.
    ///
    /// # Errors
    /// What is to be changed before it can be published.
    pub fn preview(&self, draft: &Draft, now: Timestamp) -> Result<Preview, Complaint> {
        // Keys are made when it is published; placeholders of the same size show what it will be.
        let seal = SealPublic([9; 32]);
        let arbiter = draft.arbiter.as_ref().map(Arbitration::shown);
        let checked = check(draft, seal, Mark([0; 20]), arbiter, None, now)?;
        let bytes = FRAME_OVERHEAD + checked.intent.to_body().len();
        let mut private = vec![
            "name".to_owned(),
            "address".to_owned(),
            "taste".to_owned(),
            "reputation".to_owned(),
        ];
        if draft.limit.is_some() {
            private.push("limit".to_owned());
        }
        if !matches!(draft.budget, Budget::Public(_)) {
            private.push("budget".to_owned());
        }
        let mut warnings = vec!["network-address".to_owned()];
        if self.intents.values().any(|mine| mine.said) {
            warnings.push("same-visit".to_owned());
        }
        Ok(Preview {
            public: checked.intent,
            bytes,
            expires: checked.expires,
            private,
            warnings,
        })
    }

    pub(crate) fn publish(
        &mut self,
        draft: Draft,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<IntentId, Complaint> {
        let arbiter = self.arbiter_of(&draft, batch)?;
        let (key, mark) = self.pen.root.intent(&mut self.pen.dice);
        let secret = SealSecret::random(&mut self.pen.dice);
        let unsaid = |_| {
            Complaint::new(
                "not-signed",
                "The keys for this could not be made. Try again.",
            )
        };
        let seal = secret.public().map_err(unsaid)?;
        let checked = check(&draft, seal, mark, arbiter, None, now)?;
        let body = checked.intent.to_body();
        let frame = self.sign(
            Kind::Intent,
            &body,
            checked.intent.facets(),
            checked.expires,
            &key,
            now,
        )?;
        let id = IntentId::from(frame.id());
        let mine = Mine {
            id,
            key: key.public(),
            mark,
            seal: Some(Opener(secret)),
            seal_public: seal,
            draft,
            intent: checked.intent,
            frames: vec![frame.id()],
            created: now,
            until: checked.until,
            rev: 0,
            frame: frame.bytes().to_vec(),
            frame_created: frame.header().created,
            frame_expires: frame.header().expires,
            state: IntentState::Open,
            ended: None,
            taken: None,
            crowded_out: VecDeque::new(),
            turned_away: Vec::new(),
            said: false,
            reach_said: None,
        };
        self.intents.insert(id, mine);
        self.locks.insert(Hint::of(&seal), Lock::Intent(id));
        batch.intent(id);
        self.say(id, frame.bytes().to_vec(), now, batch);
        self.announce(id, now, batch);
        Ok(id)
    }

    pub(crate) fn revise(
        &mut self,
        id: IntentId,
        draft: Draft,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let mine = self.intents.get(&id).ok_or_else(no_such_intent)?;
        if mine.state != IntentState::Open {
            return Err(not_open());
        }
        if mine.draft.budget.asset() != draft.budget.asset() {
            let sentence =
                "The quotes so far are in another currency: withdraw this and publish it anew.";
            return Err(Complaint::about("wrong-unit", "budget", sentence));
        }
        if mine.draft.arbiter != draft.arbiter {
            let sentence = "Others have agreed to the terms on which you decide: withdraw this and publish it anew.";
            return Err(Complaint::about("wrong-terms", "arbiter", sentence));
        }
        // A dry run, so that nothing has changed if the draft will not do.
        check(
            &draft,
            mine.seal_public,
            mine.mark,
            mine.intent.arbiter.clone(),
            mine.intent.revision,
            now,
        )?;
        self.update(id, Some(draft), now, batch)
    }

    /// Says an intent again: changed, or renewed as it was.
    pub(crate) fn update(
        &mut self,
        id: IntentId,
        draft: Option<Draft>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let mine = self.intents.get_mut(&id).ok_or_else(no_such_intent)?;
        let Some(key) = self.pen.root.recognise(&mine.mark) else {
            return Err(no_such_intent());
        };
        let revision = mine.next_rev(now);
        let (intent, until, expires) = match &draft {
            Some(draft) => {
                let (seal, arbiter) = (mine.seal_public, mine.intent.arbiter.clone());
                let checked = check(draft, seal, mine.mark, arbiter, Some(revision), now)?;
                (checked.intent, checked.until, checked.expires)
            }
            None => {
                let intent = Intent {
                    revision: Some(revision),
                    ..mine.intent.clone()
                };
                (intent, mine.until, frame_end(now, mine.until))
            }
        };
        let body = intent.to_body();
        let frame = self.sign(
            Kind::IntentUpdate,
            &body,
            intent.facets(),
            expires,
            &key,
            now,
        )?;
        let mine = self.intents.get_mut(&id).ok_or_else(no_such_intent)?;
        if let Some(draft) = draft {
            mine.draft = draft;
        }
        mine.intent = intent;
        mine.until = until;
        mine.frames.push(frame.id());
        if mine.frames.len() > FRAMES_KEPT {
            // The first one is the intent's name and stays.
            mine.frames.remove(1);
        }
        mine.frame = frame.bytes().to_vec();
        mine.frame_created = frame.header().created;
        mine.frame_expires = frame.header().expires;
        batch.intent(id);
        self.say(id, frame.bytes().to_vec(), now, batch);
        Ok(())
    }

    pub(crate) fn withdraw(
        &mut self,
        id: IntentId,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let mine = self.intents.get(&id).ok_or_else(no_such_intent)?;
        match mine.state {
            IntentState::Open => {}
            IntentState::Ordered => {
                let sentence = "You have ordered from a seller. Wait for his answer; if none comes in time, this is open again.";
                return Err(Complaint::new("ordered", sentence));
            }
            IntentState::Awarded | IntentState::Withdrawn | IntentState::Expired => {
                return Err(not_open());
            }
        }
        self.close(id, IntentState::Withdrawn, now, batch);
        Ok(())
    }

    /// An intent is over: says so, without saying why, and tells those whose quotes were not taken.
    pub(crate) fn close(
        &mut self,
        id: IntentId,
        state: IntentState,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(mine) = self.intents.get_mut(&id) else {
            return;
        };
        mine.state = state;
        mine.ended = Some(now);
        batch.intent(id);
        let Some(key) = self.pen.root.recognise(&mine.mark) else {
            return;
        };
        if mine.frame_expires > now {
            let revision = mine.next_rev(now);
            // The close must outlive what it closes.
            let expires = mine.frame_expires.max(now.to_minute() + LIFETIME_DEFAULT);
            let body = IntentClose { revision }.to_body();
            let signed = self.sign(
                Kind::IntentClose,
                &body,
                Facets::default(),
                expires,
                &key,
                now,
            );
            if let Ok(frame) = signed {
                self.say(id, frame.bytes().to_vec(), now, batch);
            }
        }
        self.not_selected(id, now, batch);
    }

    /// Says where I can be reached for every intent for which somebody may want to, and again what is open.
    pub(crate) fn announce_all(&mut self, now: Timestamp, batch: &mut Batch) {
        let ids: Vec<IntentId> = self.intents.keys().copied().collect();
        for id in ids {
            let Some(mine) = self.intents.get_mut(&id) else {
                continue;
            };
            if self.pen.ways.is_empty() {
                mine.reach_said = None;
                batch.due.insert(Subject::Mine(id));
                continue;
            }
            if mine.is_open() && !mine.said && mine.frame_expires > now {
                let frame = mine.frame.clone();
                self.say(id, frame, now, batch);
            }
            self.announce(id, now, batch);
        }
    }

    /// Says where I can be reached for one intent, if there is a way and a reason.
    pub(crate) fn announce(&mut self, id: IntentId, now: Timestamp, batch: &mut Batch) {
        if self.pen.ways.is_empty() || !self.wants_reach(&id, now) {
            return;
        }
        let Some(mine) = self.intents.get_mut(&id) else {
            return;
        };
        let Some(key) = self.pen.root.recognise(&mine.mark) else {
            return;
        };
        let revision = mine.next_rev(now);
        let expires = now.to_minute() + LIFETIME_DEFAULT;
        let entries = self.pen.entries(&key.public(), expires);
        let body = Reach { revision, entries }.to_body();
        let signed = self.sign(Kind::Reach, &body, Facets::default(), expires, &key, now);
        let (Ok(frame), Some(mine)) = (signed, self.intents.get_mut(&id)) else {
            return;
        };
        mine.reach_said = Some((now, expires));
        batch.intent(id);
        self.say(id, frame.bytes().to_vec(), now, batch);
    }

    /// Whether somebody may have to find me for this intent: it is open, its trade is not at its end, or its seller may not
    /// know yet that it is.
    pub(crate) fn wants_reach(&self, id: &IntentId, now: Timestamp) -> bool {
        let Some(mine) = self.intents.get(id) else {
            return false;
        };
        let Some(thread) = mine.taken.and_then(|thread| self.threads.get(&thread)) else {
            return mine.is_open();
        };
        // The two find each other without it, and nobody else shall see that there is a trade.
        if thread.sealed_reach.is_some() {
            return mine.is_open() && mine.until > now;
        }
        let since = mine.ended.map_or(0, |ended| now.since(ended));
        let trading =
            thread.deal.as_ref().is_some_and(Deal::under_way) || !thread.outbox.is_empty();
        mine.is_open() || since < LAST_WORD || (since < TRADE_REACH && trading)
    }

    /// Says a frame of mine to everybody, my own book included.
    fn say(&mut self, id: IntentId, frame: Vec<u8>, now: Timestamp, batch: &mut Batch) {
        // My own book serves it to those who ask; what it thinks of it changes nothing for me.
        let _ = self.book.enter(&frame, Source::Own, now);
        batch.due.insert(Subject::Book);
        batch.acts.push(Effect::Broadcast(frame));
        if let Some(mine) = self.intents.get_mut(&id)
            && !mine.said
            && !self.pen.ways.is_empty()
        {
            mine.said = true;
            batch.mine.insert(id);
        }
    }

    fn sign(
        &mut self,
        kind: Kind,
        body: &[u8],
        facets: Facets,
        expires: Timestamp,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Frame, Complaint> {
        let header = Header {
            kind,
            network: self.pen.network,
            created: now.to_minute(),
            expires,
            key: key.public(),
            facets,
        };
        let start = self.pen.dice.next_u64();
        Frame::sign(header, body, key, self.book.work_asked(), start).map_err(|refusal| {
            Complaint::new(
                refusal.code(),
                "This is too long to be said in one piece. Shorten the details.",
            )
        })
    }

    /// After a start: what is said is in my own book again, and sellers' first words find their key.
    pub(crate) fn begin_intent(&mut self, id: IntentId, now: Timestamp) {
        let Some(mine) = self.intents.get(&id) else {
            return;
        };
        if mine.seal.is_some() {
            self.locks
                .insert(Hint::of(&mine.seal_public), Lock::Intent(id));
        }
        if mine.is_open() && mine.frame_expires > now {
            // Fails only if it is over meanwhile.
            let _ = self.book.enter(&mine.frame, Source::Own, now);
        }
    }

    pub(crate) fn intent_deadline(&self, id: &IntentId, now: Timestamp) -> Option<Timestamp> {
        let mine = self.intents.get(id)?;
        let open = mine.is_open();
        let renewal = (open && mine.frame_expires < mine.until && mine.until > now)
            .then(|| Mine::two_thirds(mine.frame_created, mine.frame_expires));
        let end = (mine.state == IntentState::Open).then_some(mine.until);
        let reach = mine
            .reach_said
            .filter(|_| !self.pen.ways.is_empty() && self.wants_reach(id, now))
            .map(|(said, expires)| Mine::two_thirds(said, expires));
        let key = mine
            .seal
            .as_ref()
            .and(mine.ended)
            .map(|ended| ended + KEY_KEPT);
        [renewal, end, reach, key].into_iter().flatten().min()
    }

    pub(crate) fn lapse_intent(&mut self, id: IntentId, now: Timestamp, batch: &mut Batch) {
        let Some(mine) = self.intents.get(&id) else {
            return;
        };
        if mine.state == IntentState::Open && mine.until <= now {
            self.close(id, IntentState::Expired, now, batch);
        }
        let Some(mine) = self.intents.get(&id) else {
            return;
        };
        let renew = mine.is_open()
            && mine.frame_expires < mine.until
            && mine.until > now
            && Mine::two_thirds(mine.frame_created, mine.frame_expires) <= now;
        let announce = mine
            .reach_said
            .is_some_and(|(said, expires)| Mine::two_thirds(said, expires) <= now);
        let forget = mine.seal.is_some() && mine.ended.is_some_and(|ended| ended + KEY_KEPT <= now);
        if renew {
            // It was signed before, so it can be signed again.
            let renewed = self.update(id, None, now, batch);
            debug_assert!(renewed.is_ok(), "a frame that was signed can be renewed");
        }
        if announce {
            self.announce(id, now, batch);
        }
        if forget {
            self.forget_keys(id, now, batch);
        }
    }

    /// A day after its end nothing that was sealed to an intent opens any more.
    fn forget_keys(&mut self, id: IntentId, now: Timestamp, batch: &mut Batch) {
        let Some(mine) = self.intents.get_mut(&id) else {
            return;
        };
        mine.seal = None;
        self.locks.remove(&Hint::of(&mine.seal_public));
        batch.save.insert(crate::record::Key::Intent(id));
        batch.due.insert(Subject::Mine(id));
        let over: Vec<ThreadId> = self
            .threads
            .values()
            .filter(|thread| {
                let asked = thread.deal.is_some() || thread.is_before_arbiter(now);
                thread.role == Role::Buyer && thread.intent == id && !asked
            })
            .map(|thread| thread.id)
            .collect();
        for thread in over {
            self.remove_thread(thread, now, batch);
            batch.mine.insert(id);
        }
    }

    /// Whether an intent in the book is one of mine.
    pub(crate) fn is_mine(&self, id: &IntentId, key: &PublicKey, mark: &Mark) -> bool {
        self.intents.contains_key(id)
            || self
                .pen
                .root
                .recognise(mark)
                .is_some_and(|mine| mine.public() == *key)
    }
}

/// When a frame that is said now ends.
fn frame_end(now: Timestamp, until: Timestamp) -> Timestamp {
    until.min(now.to_minute() + LIFETIME_DEFAULT)
}

pub(crate) fn no_such_intent() -> Complaint {
    Complaint::about(
        "no-such-intent",
        "intent",
        "There is no such request here. It may have been forgotten after its end.",
    )
}

fn not_open() -> Complaint {
    Complaint::about(
        "not-open",
        "intent",
        "This request is over. Publish it anew if you still want it.",
    )
}

/// Makes the intent of a draft, or says what is wrong with it, field by field.
fn check(
    draft: &Draft,
    seal: SealPublic,
    mark: Mark,
    arbiter: Option<ArbiterTerms>,
    revision: Option<Revision>,
    now: Timestamp,
) -> Result<Checked, Complaint> {
    let complain =
        |code: &str, field: &str, sentence: &str| Err(Complaint::about(code, field, sentence));
    if text::line(&draft.title, TITLE_MAX).is_err() {
        return complain(
            "bad-text",
            "title",
            "Say in one line what you want: at most 120 letters, without spaces at its ends.",
        );
    }
    if let Some(details) = &draft.details
        && text::paragraphs(details, DETAILS_MAX).is_err()
    {
        return complain(
            "bad-text",
            "details",
            "Keep the details below 1,000 letters, without spaces at their ends.",
        );
    }
    if draft.category.0 > haggle_protocol::category::Category::MAX {
        return complain("bad-field", "category", "Choose a category from the list.");
    }
    if draft.wishes.len() > ATTRIBUTES_MAX || draft.wishes.iter().any(|wish| wish.check().is_err())
    {
        return complain(
            "bad-field",
            "wishes",
            "Give at most 16 wishes, each with a small name like ram-size and a short value; only measures can be at least or at most.",
        );
    }
    if draft.quantity.n == 0 || draft.quantity.scale > Quantity::SCALE_MAX {
        return complain(
            "bad-field",
            "quantity",
            "Say how much you want: more than nothing, with at most six digits behind the point.",
        );
    }
    let budget_fine = match draft.budget {
        Budget::Sealed(_) => true,
        Budget::Band(_, band) => (1..=53).contains(&band),
        Budget::Public(money) => money.minor > 0 && money.minor <= Money::MAX,
    };
    if !budget_fine {
        return complain(
            "bad-field",
            "budget",
            "Give a budget above nothing, or keep it to yourself.",
        );
    }
    if draft
        .limit
        .is_some_and(|limit| limit.asset != draft.budget.asset())
    {
        return complain(
            "wrong-unit",
            "limit",
            "Give your limit in the currency of your budget.",
        );
    }
    if draft.deliveries.is_empty() {
        return complain(
            "bad-field",
            "deliveries",
            "Choose at least one way in which you can get it.",
        );
    }
    if draft.places.len() > PLACES_MAX || draft.places.iter().any(|place| place.check().is_err()) {
        return complain(
            "bad-field",
            "places",
            "Choose one place on the map, or two if it goes from one to the other.",
        );
    }
    if draft
        .window
        .is_some_and(|window| window.to < window.from || window.to <= now)
    {
        return complain(
            "bad-field",
            "window",
            "Choose a time that is not over yet, with its end after its beginning.",
        );
    }
    if arbiter.as_ref().is_some_and(|it| it.check().is_err()) {
        return complain(
            "bad-field",
            "arbiter",
            "Take at most a tenth, and rule within an hour to thirty days.",
        );
    }
    let open_for = draft.open_for.unwrap_or(OPEN_DEFAULT);
    if !(OPEN_MIN..=OPEN_MAX).contains(&open_for) {
        return complain(
            "bad-field",
            "openFor",
            "Keep it open for at least two minutes and at most thirty days.",
        );
    }
    if draft.quotes_for.is_some_and(|span| span < QUOTES_MIN) {
        return complain(
            "bad-field",
            "quotesFor",
            "Take quotes for at least a minute.",
        );
    }
    let until = (now + open_for).to_minute();
    let quotes_due = draft
        .quotes_for
        .map_or(until, |span| (now + span).to_minute())
        .min(until);
    let expires = frame_end(now, until);
    let deliveries: std::collections::BTreeSet<Delivery> =
        draft.deliveries.iter().copied().collect();
    let intent = Intent {
        title: draft.title.clone(),
        details: draft.details.clone(),
        category: draft.category,
        wishes: draft.wishes.clone(),
        quantity: draft.quantity,
        budget: draft.budget,
        deliveries: deliveries.into_iter().collect(),
        places: draft.places.clone(),
        window: draft.window,
        quotes_due,
        until: (until > expires).then_some(until),
        max_quotes: None,
        lang: draft.lang.clone(),
        seal: SealKey::x25519(seal),
        mark,
        arbiter,
        revision,
    };
    if intent.check().is_err() {
        return complain(
            "bad-text",
            "lang",
            "Name the language by its short code, like en or pt-BR.",
        );
    }
    // Every renewal names the first frame, so there must be room for that from the start.
    let renewed = Intent {
        revision: Some(Revision {
            first: IntentId([0; 32]),
            rev: Money::MAX,
        }),
        ..intent.clone()
    };
    if renewed.to_body().len() > BODY_MAX {
        return complain(
            "too-large",
            "details",
            "This is too long to be said in one piece. Shorten the details or leave out a wish.",
        );
    }
    Ok(Checked {
        intent,
        until,
        expires,
    })
}
