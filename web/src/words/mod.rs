//! Every sentence of the page, in each language.
//!
//! A language is one value of [`Words`]: a sentence that is missing, or takes other things than it should, does not
//! compile. Whole sentences, never pieces to be put together: other languages order them otherwise. Numbers,
//! amounts and dates are handed in as text, formatted by the browser's own `Intl` for the language.

mod de;
mod deciding;
mod en;
mod files;
mod lists;
mod money;
mod tip;

use haggle_protocol::attribute::Comparison;
use haggle_protocol::intent::Delivery;
use haggle_protocol::quote::{ChargeKind, Quality};
use haggle_protocol::trade::{CancelReason, DeclineReason};
use haggle_protocol::{Money, Side};

use crate::board::{Caution, Ruler, Thanked};
use crate::forms::Wrong;
use crate::forms::ask::Say;
use crate::forms::files::{Scale, Unfit};
use crate::forms::item::Span;
use crate::node::{
    AnswerState, Auto, CaseState, DisputeState, EscrowState, Fault, IntentState, QuoteState,
    Reason, RelayState, Role, Taste, TradeState, TradeStep, Why,
};

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Lang {
    /// All of them, as they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag (BCP 47), for the page, for `Intl` and for an intent.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What its speakers call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The one that a browser asks for by tags like `de-CH`; English if none is known.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        let known = |lang: &Self| lang.tag().eq_ignore_ascii_case(first);
        Self::ALL.into_iter().find(known).unwrap_or_default()
    }

    /// Its sentences.
    #[must_use]
    pub const fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::German => &de::WORDS,
        }
    }
}

/// A sentence.
pub type S = &'static str;
/// A sentence with one text in it.
pub type S1 = fn(&str) -> String;
/// A sentence with two texts in it.
pub type S2 = fn(&str, &str) -> String;
/// A sentence about a number of things, which chooses its plural.
pub type N = fn(u64) -> String;
/// How an amount is written, for sentences that have some inside.
pub type Amount<'a> = &'a dyn Fn(Money) -> String;

macro_rules! words {
    ($($(#[$doc:meta])* $area:ident: $Area:ident { $($key:ident: $kind:ty),* $(,)? })*) => {
        $($(#[$doc])*
        #[allow(missing_docs, reason = "each sentence is read in its language")]
        #[derive(Clone, Copy, Debug)]
        pub struct $Area { $(pub $key: $kind,)* })*

        /// All sentences of one language.
        #[allow(missing_docs, reason = "the areas are documented themselves")]
        #[derive(Clone, Copy, Debug)]
        pub struct Words { $(pub $area: $Area,)* }
    };
}

words! {
    /// What is needed everywhere.
    all: All {
        title: S, tagline: S, skip: S, menu: S, nav: S, language: S, theme: S, theme_system: S, theme_light: S,
        theme_dark: S, notices: S, notices_hint: S, notices_denied: S, close: S, cancel: S, save: S, remove: S, add: S, edit: S, back: S, yes: S, no: S,
        everyone_sees: S, only_you: S, private: S, optional: S, anywhere: S, around: S1, from_to: S2, free: S,
        saved: S, copied: S, copy: S, more: N, somewhere: S, working: S,
        footer: S,
    }
    /// What survives the loss of a device.
    safe: SafeWords {
        open: S, heading: S, lead: S, stays: S, may_go: S, never: S, since: S1, words: S, words_lead: S, words_show: S, words_paper: S, words_written: S,
        word_number: N, words_check: S, words_wrong: S, words_right: S, file: S, file_lead: S, passphrase: S, passphrase_hint: S,
        file_save: S, file_saved: S1, file_stale: S, back: S, back_lead: S, back_file: S, back_secret: S, back_secret_hint: S, back_check: S,
        back_check_words: S, back_found: fn(&str, [u64; 3]) -> String, back_words: S, back_sure: S, back_once: S, back_do: S,
        erase: S, erase_lead: S, erase_trades: N, erase_sure: S, erase_do: S, reminder: S, reminder_do: S,
    }
    /// The five screens.
    nav: Nav { ask: S, requests: S, market: S, stall: S, trades: S, waiting: N }
    /// Numbers, times, units, and the words of the trade.
    word: Word {
        seconds: N, minutes: N, hours: N, days: N, within: S1, at_once: S, over: S, span: fn(Span) -> S,
        unit: fn(&str, bool) -> Option<S>, attribute: fn(&str) -> Option<S>, comparison: fn(Comparison) -> S,
        delivery: fn(Delivery) -> S, quality: fn(Quality) -> S, quality_means: fn(Quality) -> S,
        charge: fn(ChargeKind) -> S, decline: fn(DeclineReason) -> S, wrong: fn(Wrong) -> S,
        complaint: fn(&str, &str) -> Option<S>, quality_grade: S2, any_category: S,
    }
    /// Asking out loud.
    ask: Ask {
        heading: S, lead: S, what: S, what_hint: S, what_example: S, category: S, category_or: S, category_hint: S, how_much: S, unit: S, currency: S,
        limit: S, limit_hint: S, say_heading: S, say: fn(Say) -> S, say_hint: fn(Say) -> S, wishes: S, wishes_hint: S,
        wish_name: S, wish_how: S, wish_value: S, wish_unit: S, wish_no_unit: S, wish_must: S, wish_add: S, wish_remove: S1,
        delivery: S, delivery_heading: S, place: S, place_to: S, place_hint: S, when: S, by: S, by_hint: S, open_for: S, quotes_for: S,
        quotes_as_long: S, taste: S, taste_of: fn(Taste) -> S, details: S, details_hint: S, more_heading: S,
        preview: S, preview_empty: S, public_hint: S, private_of: fn(&str) -> Option<S>, limit_of: S1,
        warning_of: fn(&str) -> Option<S>, warnings: S, publish: S, publishing: S, published: S, flaws: N,
        not_yet: S, sellers_answer: S,
    }
    /// What everyone sees of an intent.
    slip: Slip {
        wanted: S, quantity: S, budget: S, budget_sealed: S1, budget_band: S1, budget_public: S1, delivery: S,
        place: S, by: S, by_day: S1, quotes_until: S1, quotes_until_label: S, quotes_closed: S, must: S, wish: S, category: S, wishes: S,
    }
    /// My requests and their quotes.
    requests: Requests {
        heading: S, empty_heading: S, empty: S, empty_do: S, state: fn(IntentState) -> S, out_since: S1, not_out: S, through: N,
        no_relay: S, answered: N, quotes_left: S1, quotes_over: S, slow_heading: S, slow_time: S, slow_widen: S, slow_book: S,
        quotes: S, quotes_none: S, withdraw: S, withdrawing: S, withdrawn_undo: S, again: S, rank: N, total: S,
        why: S, reason: fn(&Reason, Amount<'_>) -> String, firm: S, firm_hint: S, indicative: S, indicative_hint: S,
        breakdown: S, holds: S1, there: S1, accept: S, accept_other: S, accept_heading: S, accept_body: S2, accept_private: S,
        accept_note: S, accept_do: S1, accepting: S, state_quote: fn(QuoteState) -> S, ordered: S1, ordered_no_time: S, confirmed: S,
        declined: S1, not_confirmed: S, next_best: S, next_best_hint: S, to_trade: S, arrived: N, arrived_order: S1, arrived_confirmed: S,
        arrived_not: S, arrived_contact: S, arrived_match: N, seller_note: S, stay: S, unnamed: S, trader: S,

    }
    /// Haggling, on both sides.
    haggling: Haggling {
        begin: S, heading: S, body: S, total: S, private: S, send: S, sending: S, sent: S, mine: S1, on_its_way: S, lost: S, delivered: S,
        answered: S, left: N, theirs: S1, buyer_note: S, meet: S1, news: S,
    }
    /// Words between two.
    chat: ChatWords {
        heading: S, ask_buyer: S, ask_seller: S, count: N, questions: S, me: S, buyer: S, seller: S, sending: S, lost: S, placeholder: S,
        send: S, busy: S, careful: S, wait: S, news: S1, new: N,
    }
    /// The end of a trade before its time.
    cancel: Cancel {
        begin: S, means_order: S, means_trade: S, why: S, reason: fn(CancelReason) -> S, note: S, send: S, sending: S, on_its_way: S,
        refused: S, mine: S1, buyer: S1, seller: S1, lapsed: S, ends: S1, news: S, news_lapsed: S,
    }
    /// What others want.
    market: Market {
        heading: S, lead: S, empty_heading: S, empty: S, none_found: S, search: S, only_matching: S, category: S, all_categories: S,
        show_dismissed: S, count: N, matches: S, fits: S, fit_yes: S, fit_no: S, fit_unknown: S, would_cost: S1,
        partly: S, answer: S, quote_again: S, dismiss: S, answer_of: fn(AnswerState) -> S, automatic: S, by_hand: S, my_quote: S,
        unreachable: S, form_heading: S, form_private: S, description: S, quantity: S, price: S, delivery_fee: S, tax: S, discount: S,
        valid: S, lead_time: S, delivery: S, quality: S, note: S, firm: S, firm_hint: S, total: S, send: S, sending: S, sent: S, since: S1,
        from_item: S1,
    }
    /// What I offer.
    stall: Stall {
        heading: S, lead: S, items: S, empty_heading: S, empty: S, add: S, edit_heading: S, add_heading: S, title: S, category: S,
        attributes: S, attributes_hint: S, unit: S, stock: S, stock_hint: S, stock_left: S2, stock_endless: S, currency: S, tiers: S,
        tiers_hint: S, tier_from: S, tier_price: S, tier_add: S, floor: S, floor_hint: S, quality: S, deliveries: S, delivery_way: S, delivery_fee: S,
        delivery_time: S, delivery_place: S, delivery_add: S, note: S, note_hint: S, auto: S, auto_as_stall: S, remove_ask: S1,
        rules: S, rules_lead: S, auto_of: fn(Auto) -> S, auto_means: fn(Auto) -> S, valid: S, per_hour: S, per_hour_hint: S, concession: S, concession_hint: S, min_trust: S, min_trust_hint: S,
        payment: S, payment_hint: S, profile: S, profile_lead: S, name: S, phone: S, email: S, address: S, instructions: S,
        instructions_hint: S, trader: S, trader_hint: S, saved: S, each: S1, from_quantity: S2,
    }
    /// The stall as a list.
    list: ListWords {
        open: S, heading: S, lead: S, export: S, export_lead: N, csv: S, json: S, too_wide: S, saved: S1, import: S, import_lead: S, file: S, unread: S,
        found: fn([u64; 3]) -> String, put: N, put_done: N, nothing_to_do: S, wrong: N, line: N, more: N, fault: fn(&Fault) -> String,
    }
    /// Files that go with what is said.
    files: FileWords {
        heading: S, add: S, add_hint: S, goods: S, goods_hint: S, chosen: S, added: S1, take_out: S1, size: fn(Scale, &str) -> String,
        coming: S2, coming_hint: S, came: S1, load: S1, load_again: S, wrong: S, gone: S, removed: S, made_room: S, save: S, saved: S1, look: S1, remove: S,
        remove_mine: S, unfit: fn(Unfit) -> S,
    }
    /// The hand-over of goods, and the code that proves it.
    handover: Handover { heading: S, body: S, code: S, code_hint: S, wait: S, done: S }
    /// Orders and trades.
    trades: Trades {
        heading: S, empty_heading: S, empty: S, buying: S, selling: S, with: S, order_in: S, order_heading: S, confirm: S, refuse: S,
        confirm_body: S, payment: S, note: S, refuse_heading: S, confirming: S, timeline: S, did_quote: S, did_order_mine: S,
        did_order_theirs: S, did_confirm_mine: S, did_confirm_theirs: S, did_contact_mine: S, did_contact_sent: S,
        did_contact_theirs: S, did_decline: S1, did_lapse: S, wait_me: S, wait_contact_mine: S, wait_contact_theirs: S, wait_seller: S, wait_buyer: S, until: S1,
        contact_theirs: S, contact_mine: S, contact_none: S, contact_send: S, contact_sent: S, contact_hint: S, contact_hint_all: S, pay: S, order_note: S,
        confirm_note: S, done: S, way: fn(&str) -> Option<S>, at: S1, steps: S, step_say: fn(TradeStep) -> S, step_means: fn(TradeStep) -> S,
        step_note: S, step_send: S, step_mine: fn(TradeStep) -> S, step_theirs: fn(TradeStep) -> S, step_unknown: S, step_news: fn(TradeStep) -> S,
        wait_dispatch_mine: S, wait_dispatch_theirs: S, wait_receipt_mine: S, wait_receipt_theirs: S, received: S,
    }
    /// Purses and mints.
    money: MoneyWords {
        open: S, heading: S, lead: S, custodian: S, purses: S, purses_none: S, held: S1, mints: S, mints_lead: S, mint: S, mint_hint: S, mint_add: S,
        mint_added: S, mint_remove: S1, mint_removed: S, mint_sees: S, mint_blind: S, at: S, purse: S, amount: S, currency: S, fill: S, fill_lead: S, fill_do: S, fill_pay: S1, fill_until: S1,
        fill_wait: S, take: S, take_text: S, take_hint: S, take_do: S, give: S, give_lead: S, give_do: S, give_copy: S, given: S, give_back: S,
        pay_out: S, invoice: S, invoice_hint: S, pay_do: S, paid: S2, find: S, find_lead: S, find_do: S, found: S1, came: S1, qr: S, too_long: S,
        history: S, history_why: fn(Why) -> S, history_older: N, history_cost: S1, history_open: S,
    }
    /// Play money, on a page that was served with a mint of such.
    play: PlayWords {
        label: S, warning: S, open: S, offer: S, offer_do: S, takes_do: S, name: S1, amount: S1, fill: S, came: S1, invoice: S,
    }
    /// Money that is locked for a trade.
    escrow: EscrowWords {
        heading: S, state: fn(EscrowState, Role) -> S, kept_by: S1, next: fn(Side, Role, &str) -> String, alone: S, trouble: fn(&str) -> S, again: S,
        alone_of_three: S, fill: S, came: S1, shared: S2, share: S, share_lead: S, share_buyer: S, share_hint: S1, share_do: S, share_done: S, offer_mine: S2,
        offer_theirs: S2, agree: S, agreed: S, paid_mine: S, paid_theirs: S, how: S, direct: S, direct_means: S, through: S, through_means: S1, plan: S1, plan_send: S,
        plan_review: S1, plan_have: S, trust: S1, trust_hint: S, purse: S1, short: S, rate: S, rate_hint: S1, ordered: S2, ordered_rate: S,
        ordered_send: S1, takes: S, takes_lead: S, takes_add: S, takes_remove: S1, caution: fn(Caution) -> S, payable: S1,
    }
    /// A third who decides.
    decide: DecideWords {
        open: S, heading: S, lead: S, duty: S, offer: S, title: S, title_hint: S, title_example: S, details: S, details_hint: S,
        fee: S, fee_hint: S, within: S, within_hint: S, offer_do: S, offering: S, offered: S, four: S, terms: S2, terms_free: S1,
        until: S1, over: S, longer: S, offered_longer: S, stop: S, stopping: S, cases: S, cases_none: S, state: fn(CaseState) -> S, unasked: S, rule_by: S1, deadline: fn(Side, &str) -> String,
        fee_of: S1, claim: fn(Side, &str) -> String, told: S, not_told: S, not_taken: S, rule: S, rule_lead: S, rule_buyer: S, rule_hint: S1, rule_words: S,
        rule_words_hint: S, rule_do: S, rule_done: S, renew: S, renew_lead: S1, renew_do: S, held: fn(Ruler, &str) -> String, earned: S1, trust: S1, trust_lead: S1, news_case: S, who: S, nobody: S, nobody_means: S,
        absent: N, careful: S, chosen: S1, chosen_unknown: S, has_decided: S1, has_decided_unknown: S, ask: S, ask_lead: S, ask_buyer: S, ask_hint: S1, ask_fee: S1, ask_words: S,
        ask_do: S, ask_done: S, asked: S1, asked_state: fn(&DisputeState) -> S, ask_by: S1, ask_late: S,
        talk: S, ruling: fn(Ruler, &str, &str) -> String, ruling_fee: fn(Ruler, &str) -> String, ruling_words: fn(Ruler) -> S,
        news_ruled: S, takes: S, takes_lead: S, takes_none: S, takes_add: S1, takes_remove: S1, takes_away: S, takes_full: S, arbiter: S,
        write_arbiter: S, trader: S, write_trader: S, questions: S, side: fn(Side) -> S,
    }
    /// A tip, for whoever is thankful.
    tip: TipWords {
        open: fn(Thanked) -> S, lead: S, same_mint: S, words: S, back: S, give: S, none: S, to_money: S, done: S1, not_sent: S1, not_back: S1,
        mine: S, waiting: S, gone: S, theirs: S, claim: S, came: S2, taken: S,
    }
    /// The connection.
    link: Link {
        connecting: S, online: S, offline: S, heading: S, sum: N, others: N, neighbours: N, book: N, relays: S, relays_lead: S,
        state: fn(RelayState) -> S, retry: N, reason: fn(&str) -> Option<S>, add: S, add_hint: S, address: S, added: S, removed: S,
        share: S, share_lead: S, link: S, qr: S, mine: S, mine_hint: S, curious: S, refused: S, refused_none: S,
        refusal: fn(&str) -> S, clock: S1, offline_banner: S, offline_safe: S, offer_heading: S, offer: S, offer_add: S, offer_not: S,
        see_address: S, no_relays: S, hide: S, hide_hint: S, hide_off: S, hide_mints: S, hidden_now: S, shown_now: S, directly: N, through_relay: N,
        messages_directly: N, messages_relayed: N, dial_me: S,
    }
    /// Who I am on this machine.
    who: Who {
        heading: S, lead: S, here: S, nameless: S, name: S, open: S, list: S, you: S1, try_both: S, try_lead: S,
    }
    /// When the page cannot start or go on.
    stop: Stop {
        opening: S, busy_heading: S, busy: S1, busy_you: S, busy_take: S, busy_take_hint: S, busy_other: S, storage_heading: S, storage: fn(&str) -> Option<S>,
        stopped_heading: S, stopped_safe: S, reload: S, code: S1, no_relays_file: S,
    }
}

/// How long something is, in the largest unit that tells it well: `28 minutes`, `3 hours`, `2 days`.
#[must_use]
pub fn duration(words: &Words, seconds: u64) -> String {
    let word = &words.word;
    match seconds {
        0..60 => (word.seconds)(seconds),
        60..5_400 => (word.minutes)(seconds / 60),
        5_400..129_600 => (word.hours)((seconds + 1_800) / 3_600),
        _ => (word.days)((seconds + 43_200) / 86_400),
    }
}

/// A property's name as one reads it: known ones in the reader's language, others as they were typed.
#[must_use]
pub fn property(words: &Words, key: &str) -> String {
    match (words.word.attribute)(key) {
        Some(known) => known.to_owned(),
        None => key.replace(['-', '_'], " "),
    }
}

/// What a trade waits for, to somebody who is on this side of it.
#[must_use]
pub fn awaited(words: &Words, state: TradeState, from: Role, me: Role) -> S {
    let trades = &words.trades;
    match (from == me, state, from) {
        (true, TradeState::Confirmed, _) => trades.wait_contact_mine,
        (false, TradeState::Confirmed, _) => trades.wait_contact_theirs,
        (true, TradeState::ContactsExchanged, _) => trades.wait_dispatch_mine,
        (false, TradeState::ContactsExchanged, _) => trades.wait_dispatch_theirs,
        (true, TradeState::Dispatched, _) => trades.wait_receipt_mine,
        (true, TradeState::Delivered, _) => words.handover.wait,
        (false, TradeState::Dispatched | TradeState::Delivered, _) => trades.wait_receipt_theirs,
        (true, _, _) => trades.wait_me,
        (false, _, Role::Seller) => trades.wait_seller,
        (false, _, Role::Buyer) => trades.wait_buyer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{MEASURES, QUANTITIES};
    use haggle_protocol::{Asset, Refusal};

    #[test]
    fn the_language_is_the_one_that_the_browser_asks_for() {
        assert_eq!(Lang::of("de-CH"), Lang::German);
        assert_eq!(Lang::of("DE"), Lang::German);
        assert_eq!(Lang::of("en-GB"), Lang::English);
        assert_eq!(Lang::of("fr"), Lang::English);
        assert_eq!(Lang::of(""), Lang::English);
    }

    #[test]
    fn every_unit_and_every_refusal_has_words_in_each_language() {
        for lang in Lang::ALL {
            let words = lang.words();
            for code in QUANTITIES.into_iter().chain(MEASURES) {
                assert!(
                    (words.word.unit)(code, false).is_some(),
                    "{code} in {}",
                    lang.name()
                );
            }
            let mut sentences = std::collections::BTreeMap::new();
            for refusal in Refusal::ALL {
                let sentence = (words.link.refusal)(refusal.code());
                sentences.entry(sentence).or_insert(0u32);
            }
            assert!(sentences.len() > 8, "{}", lang.name());
        }
    }

    #[test]
    fn each_reason_of_a_rank_is_a_sentence_of_its_own_in_each_language() {
        let by = Money::new(1_250, Asset::new("EUR").unwrap());
        let (quality, cheapest, best) = (Quality::Fine, Quality::Fair, Quality::Finest);
        let reasons = [
            Reason::Only,
            Reason::Cheapest,
            Reason::DearerBy { by },
            Reason::BestQuality { quality },
            Reason::BetterThanCheapest { quality, cheapest },
            Reason::SoonerThanCheapest { seconds: 86_400 },
            Reason::LesserQuality { quality, best },
            Reason::Fastest { lead_time: 86_400 },
            Reason::SlowerBy { seconds: 86_400 },
            Reason::AllWishes,
            Reason::MissesWishes { count: 1 },
            Reason::MissesWishes { count: 2 },
            Reason::OverLimit { by },
            Reason::Firm,
            Reason::NotStanding,
        ];
        for lang in Lang::ALL {
            let words = lang.words();
            let say = |reason| (words.requests.reason)(reason, &|money| money.to_string());
            let sentences: std::collections::BTreeSet<_> = reasons.iter().map(say).collect();
            assert_eq!(sentences.len(), reasons.len(), "{sentences:?}");
            let dearer = say(&reasons[2]);
            assert!(dearer.contains("12.50 EUR"), "{dearer}");
        }
    }

    #[test]
    fn numbers_of_things_have_their_singular() {
        for lang in Lang::ALL {
            let words = lang.words();
            let sentences = [
                words.requests.answered,
                words.requests.through,
                words.link.sum,
                words.link.others,
                words.market.count,
                words.word.minutes,
                words.word.days,
            ];
            for sentence in sentences {
                let (one, two) = (sentence(1), sentence(2));
                assert_ne!(one.replace('1', "2"), two, "{one}");
            }
        }
    }

    #[test]
    fn each_step_of_a_trade_and_each_file_that_does_not_fit_has_a_sentence_of_its_own() {
        let steps = [
            TradeStep::Paid,
            TradeStep::Dispatched,
            TradeStep::Delivered,
            TradeStep::Received,
        ];
        for lang in Lang::ALL {
            let (trades, files) = (&lang.words().trades, &lang.words().files);
            let mut sentences = std::collections::BTreeSet::new();
            for say in [
                trades.step_say,
                trades.step_means,
                trades.step_mine,
                trades.step_theirs,
                trades.step_news,
            ] {
                sentences.extend(steps.map(say));
            }
            sentences.extend(Unfit::ALL.map(files.unfit));
            assert_eq!(sentences.len(), 5 * steps.len() + Unfit::ALL.len());
        }
    }

    #[test]
    fn each_reason_why_money_moves_has_a_sentence_of_its_own_in_each_language() {
        let whys = [
            Why::Deposit,
            Why::Withdrawal,
            Why::Given,
            Why::Taken,
            Why::TakenBack,
            Why::Locked,
            Why::Unlocked,
            Why::Paid,
            Why::Returned,
            Why::Refunded,
            Why::Decided,
            Why::Found,
            Why::Elsewhere,
            Why::Other,
            Why::Earlier,
        ];
        let languages = Lang::ALL.map(|lang| lang.words().money.history_why);
        let sentences = languages.into_iter().flat_map(|say| whys.map(say));
        let sentences: std::collections::BTreeSet<_> = sentences.collect();
        assert_eq!(sentences.len(), Lang::ALL.len() * whys.len());
    }

    #[test]
    fn a_buyer_whose_code_was_shown_is_asked_to_say_that_he_has_it() {
        let (buyer, seller) = (Role::Buyer, Role::Seller);
        for lang in Lang::ALL {
            let words = lang.words();
            let of = |state, me| awaited(words, state, buyer, me);
            let trades = &words.trades;
            assert_eq!(of(TradeState::Delivered, buyer), words.handover.wait);
            assert_eq!(of(TradeState::Dispatched, buyer), trades.wait_receipt_mine);
            for state in [TradeState::Dispatched, TradeState::Delivered] {
                assert_eq!(of(state, seller), trades.wait_receipt_theirs);
            }
        }
    }

    #[test]
    fn times_are_told_in_the_unit_that_tells_them_well() {
        let words = Lang::English.words();
        for (seconds, text) in [
            (45, "45 seconds"),
            (60, "1 minute"),
            (1_700, "28 minutes"),
            (7_200, "2 hours"),
            (86_400, "24 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(duration(words, seconds), text);
        }
        assert_eq!(duration(Lang::German.words(), 86_400 * 2), "2 Tage");
    }
}
