//! English.

use haggle_protocol::attribute::Comparison;
use haggle_protocol::intent::Delivery;
use haggle_protocol::quote::{ChargeKind, Quality};
use haggle_protocol::trade::{CancelReason, DeclineReason};

use super::{
    All, Amount, Ask, Cancel, ChatWords, Haggling, Link, Market, Nav, Requests, S, SafeWords, Slip,
    Stall, Stop, Trades, Who, Word, Words, duration,
};
use crate::forms::Wrong;
use crate::forms::ask::Say;
use crate::forms::item::Span;
use crate::node::{
    AnswerState, Auto, IntentState, QuoteState, Reason, RelayState, Role, Taste, TradeStep,
};

/// `1 seller`, `2 sellers`.
fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// All sentences.
pub(super) const WORDS: Words = Words {
    all: All {
        title: "Haggle: ask out loud, get quoted in private",
        tagline: "Ask out loud. Get quoted in private.",
        skip: "Skip to the content",
        menu: "Settings",
        nav: "Main",
        language: "Language",
        theme: "Colours",
        theme_system: "As this device",
        theme_light: "Light",
        notices: "Tell me of news while I look elsewhere",
        notices_hint: "Your device shows what has happened: a quote, an order, a message. Never a price or a name.",
        notices_denied: "Your browser does not allow it for this page. You can change that in its settings for this site.",
        theme_dark: "Dark",
        close: "Close",
        cancel: "Cancel",
        save: "Save",
        remove: "Remove",
        add: "Add",
        edit: "Change",
        back: "Back",
        yes: "yes",
        no: "no",
        everyone_sees: "Everyone sees this",
        only_you: "Only you, or only the seller you choose",
        private: "Private",
        optional: "optional",
        anywhere: "Anywhere",
        around: |city| format!("Around {city}"),
        from_to: |from, to| format!("From around {from} to around {to}"),
        free: "free",
        saved: "Saved.",
        copied: "Copied.",
        copy: "Copy",
        more: |n| format!("Show {n} more"),
        somewhere: "A region without a large city",
        working: "One moment …",
        footer: "No server holds your quotes, orders or contacts. They stay in this browser.",
    },
    safe: SafeWords {
        open: "Backup and your data",
        heading: "Backup and your data",
        lead: "All you have here lives in this browser and nowhere else. Nobody can give it back to you but yourself.",
        stays: "This browser has agreed to keep it until you erase it.",
        may_go: "This browser may clear it when it runs out of room, and a private window forgets it when it is closed.",
        never: "Not done yet.",
        since: |when| format!("Done on {when}."),
        words: "Your twelve words",
        words_lead: "They bring back your reputation and your open requests on any device. They do not bring back trades: for those there is the file.",
        words_show: "Show the words",
        words_paper: "Write them on paper, in this order. Whoever reads them can act as you.",
        words_written: "I have written them down",
        word_number: |n| format!("Word {n}"),
        words_check: "Check",
        words_wrong: "That is not what is on the list. Look at your paper, or show the words once more.",
        words_right: "Right. Keep the paper where you keep what matters.",
        file: "Backup file",
        file_lead: "Everything in this profile, encrypted: trades, messages, contacts, your stall. Your words open it. What comes after it is not in it: save one after each order.",
        passphrase: "A passphrase that opens it too",
        passphrase_hint: "If you like. At least 8 characters; several words are best.",
        file_save: "Save a backup file",
        file_saved: |name| format!("{name} is among your downloads."),
        file_stale: "Your newest order is not in your backup file. Save it again.",
        back: "Come back",
        back_lead: "Check whether your file or your words would work, and if you like, go on with them here. Checking changes nothing.",
        back_file: "Backup file",
        back_secret: "Your words, or the passphrase of the file",
        back_secret_hint: "Twelve words with spaces between them. Without a file the words alone are checked.",
        back_check: "Check the file",
        back_check_words: "Check the words",
        back_found: |when, [intents, threads, items]| {
            format!(
                "It opens. Saved on {when}: {}, {}, {}.",
                count(intents, "request", "requests"),
                count(threads, "exchange with others", "exchanges with others"),
                count(items, "item in the stall", "items in the stall")
            )
        },
        back_words: "These words belong together. They bring back a reputation and the requests that are still open.",
        back_sure: "Replace everything in this profile by it",
        back_once: "Use it in one place only: two devices that act as one person contradict each other.",
        back_do: "Go on with it here",
        erase: "Erase everything",
        erase_lead: "Removes this profile from this browser: words, requests, trades, stall. What others have received from you stays with them.",
        erase_trades: |n| {
            format!(
                "{} under way. The other side goes on waiting for you.",
                count(n, "trade is", "trades are")
            )
        },
        erase_sure: "I have what I need, or need nothing of it",
        erase_do: "Erase everything",
        reminder: "This will be your first order from here, and if this browser loses its data, the order is lost too.",
        reminder_do: "Back up first",
    },
    nav: Nav {
        ask: "Ask",
        requests: "My requests",
        market: "Market",
        stall: "My stall",
        trades: "Trades",
        waiting: |n| format!("{n} waiting for you"),
    },
    word: Word {
        seconds: |n| count(n, "second", "seconds"),
        minutes: |n| count(n, "minute", "minutes"),
        hours: |n| count(n, "hour", "hours"),
        days: |n| count(n, "day", "days"),
        within: |time| format!("within {time}"),
        at_once: "at once",
        over: "over",
        span: |span| match span {
            Span::Minutes => "minutes",
            Span::Hours => "hours",
            Span::Days => "days",
        },
        unit,
        attribute,
        comparison: |comparison| match comparison {
            Comparison::Is => "is",
            Comparison::AtLeast => "at least",
            Comparison::AtMost => "at most",
        },
        delivery: |delivery| match delivery {
            Delivery::Pickup => "Pick up",
            Delivery::Shipping => "Sent or brought",
            Delivery::OnSite => "Done on site",
            Delivery::Digital => "Online",
            Delivery::Transport => "From place to place",
        },
        quality: |quality| match quality {
            Quality::Basic => "Basic",
            Quality::Fair => "Fair",
            Quality::Good => "Good",
            Quality::Fine => "Fine",
            Quality::Finest => "Finest",
        },
        quality_means: |quality| match quality {
            Quality::Basic => "for parts, or as a beginner would do it",
            Quality::Fair => "used and working, or ordinary work",
            Quality::Good => "good as most expect it",
            Quality::Fine => "like new, or by somebody with experience",
            Quality::Finest => "new, or the best there is",
        },
        charge: |kind| match kind {
            ChargeKind::Delivery => "Delivery",
            ChargeKind::Tax => "Tax",
            ChargeKind::Fee => "Fee",
            ChargeKind::Discount => "Discount",
        },
        decline: |reason| match reason {
            DeclineReason::NoStock => "none left",
            DeclineReason::Price => "not at this price",
            DeclineReason::Area => "not in this area",
            DeclineReason::Policy => "not by the seller’s own rules",
            DeclineReason::Busy => "no time",
            DeclineReason::QuoteExpired => "the quote no longer holds",
            DeclineReason::Other => "another reason",
        },
        wrong: |wrong| match wrong {
            Wrong::Missing => "Please fill this in.",
            Wrong::TooLong => "This is too long. Please shorten it.",
            Wrong::NotANumber => "This is not a number that fits here. Write it like 12 or 12.50.",
            Wrong::Zero => "This must be more than zero.",
            Wrong::NotACurrency => "A currency is a code of two to eight letters, like EUR.",
            Wrong::NoneChosen => "Please choose at least one.",
            Wrong::NoName => "Say what the value is: size, brand, year …",
            Wrong::NeedsNumber => "“At least” and “at most” need a number.",
            Wrong::BelowZero => "The discount is larger than everything else together.",
            Wrong::NotLess => "Offer less than is asked.",
        },
        // The peer itself complains in English.
        complaint: |_, _| None,
        quality_grade: |quality, means| format!("{quality}: {means}"),
        any_category: "Anything",
    },
    ask: Ask {
        heading: "What are you looking for?",
        lead: "Say it once, out loud. Sellers answer only to you, and nobody else learns what they ask for it.",
        what: "I want",
        what_hint: "One line that a stranger understands.",
        what_example: "a road bike, 56 cm frame",
        category: "Category",
        category_or: "Or rather:",
        category_hint: "Stalls that answer by themselves go by this.",
        how_much: "How much",
        unit: "of",
        currency: "Paid in",
        limit: "The most I pay",
        limit_hint: "Stays on this device. It ranks the quotes and warns you.",
        say_heading: "What to say about money",
        say: |say| match say {
            Say::Nothing => "Nothing",
            Say::Roughly => "Roughly",
            Say::All => "My limit",
        },
        say_hint: |say| match say {
            Say::Nothing => "Sellers make their own offer. Usually best for you.",
            Say::Roughly => "Everyone sees the order of magnitude of your limit.",
            Say::All => "Everyone sees your limit. Expect quotes close to it.",
        },
        wishes: "What it should be like",
        wishes_hint: "Properties that sellers can be matched by. Tick “must” for those you do not give up.",
        wish_name: "Property",
        wish_how: "Comparison",
        wish_value: "Value",
        wish_unit: "Unit",
        wish_no_unit: "a word",
        wish_must: "must",
        wish_add: "Add a property",
        wish_remove: |name| format!("Remove the property {name}"),
        delivery: "How it may reach you",
        delivery_heading: "Where and how",
        place: "Around",
        place_to: "To around",
        place_hint: "A square of about 150 km. Your address is never asked for here.",
        when: "When",
        by: "Needed by",
        by_hint: "Leave it empty for any time.",
        open_for: "Stays open for",
        quotes_for: "Takes quotes for",
        quotes_as_long: "as long as it is open",
        taste: "When quotes are ranked, what matters most?",
        taste_of: |taste| match taste {
            Taste::Balanced => "A good balance",
            Taste::Cheapest => "The price",
            Taste::Fastest => "The time",
            Taste::Best => "The quality",
        },
        details: "In more words",
        details_hint: "Everyone sees this too. Leave out names, addresses and telephone numbers.",
        more_heading: "More details",
        preview: "Before you say it",
        preview_empty: "As you type, this shows what everyone will see.",
        public_hint: "To everyone, signed with a key made for this request alone.",
        private_of: |code| match code {
            "limit" => Some("Your limit"),
            "budget" => Some("What you would pay"),
            "name" => Some("Your name and contact: only the seller you choose, after they confirm"),
            "address" => Some("Your address: only the seller you choose, after they confirm"),
            "taste" => Some("What matters to you when quotes are ranked"),
            "reputation" => Some("Who you are: a seller sees it when you order from them"),
            "quotes" => Some("Every quote you get, and which one you take"),
            _ => None,
        },
        limit_of: |limit| format!("Your limit of {limit}"),
        warning_of: |code| match code {
            "same-visit" => Some(
                "Requests that you publish in one visit can be recognised as coming from one person. Reload the page to begin a new visit.",
            ),
            "network-address" => {
                Some("The relays that connect you see your network address, as every website does.")
            }
            _ => None,
        },
        warnings: "Good to know",
        publish: "Say it out loud",
        publishing: "Saying it …",
        published: "Said. Quotes will appear here as sellers answer.",
        flaws: |n| {
            let things = count(n, "thing needs", "things need");
            format!("{things} a look before this can be said.")
        },
        not_yet: "This page is still opening what it knows. One moment.",
        sellers_answer: "Sellers who have it answer with a sealed quote. Only this page can open it.",
    },
    slip: Slip {
        wanted: "Wanted",
        quantity: "How much",
        budget: "Budget",
        budget_sealed: |currency| format!("Make an offer, in {currency}"),
        budget_band: |most| format!("Up to about {most}"),
        budget_public: |most| format!("At most {most}"),
        delivery: "How",
        place: "Where",
        by: "When",
        by_day: |day| format!("by {day}"),
        quotes_until: |time| format!("takes quotes until {time}"),
        quotes_until_label: "Quotes",
        quotes_closed: "takes no more quotes",
        must: "must",
        wish: "wish",
        category: "Category",
        wishes: "Properties",
    },
    requests: Requests {
        heading: "My requests",
        empty_heading: "Nothing said yet",
        empty: "Ask for anything: a thing, some work, a ride. You say it once, and sellers’ private quotes arrive here, the best first, with the reason why.",
        empty_do: "Ask for something",
        state: |state| match state {
            IntentState::Open => "Open",
            IntentState::Ordered => "Ordered",
            IntentState::Awarded => "Agreed",
            IntentState::Withdrawn => "Withdrawn",
            IntentState::Expired => "Ended",
        },
        out_since: |time| format!("Out since {time}"),
        not_out: "Saved; it goes out as soon as you are connected",
        through: |n| format!("connected through {}", count(n, "relay", "relays")),
        no_relay: "not connected right now",
        answered: |n| match n {
            0 => "no seller has answered yet".into(),
            _ => format!("{} answered", count(n, "seller has", "sellers have")),
        },
        quotes_left: |time| format!("quotes taken for {time} more"),
        quotes_over: "no more quotes are taken",
        slow_heading: "No quote yet. What helps:",
        slow_time: "Leave this page open: sellers who come later still find your request.",
        slow_widen: "Check the category. Say a wider area, more ways of delivery, or fewer things that must be.",
        slow_book: "Look into the market to see whether anybody is here to answer.",
        quotes: "Quotes, the best first",
        quotes_none: "Quotes appear here by themselves, the best first.",
        withdraw: "Withdraw",
        withdrawing: "This request will be withdrawn.",
        withdrawn_undo: "Keep it",
        again: "Ask again",
        rank: |n| format!("No. {n}"),
        total: "Total",
        why: "Why it stands here",
        reason,
        firm: "Firm",
        firm_hint: "The seller has set it aside and is bound by an order in time.",
        indicative: "Not binding",
        indicative_hint: "The seller confirms an order by hand.",
        breakdown: "What it is made of",
        holds: |time| format!("holds for {time} more"),
        there: |time| format!("there {time}"),
        accept: "Accept this quote",
        accept_other: "Take this one instead",
        accept_heading: "Order for this total?",
        accept_body: |total, title| {
            format!(
                "You order “{title}” for {total}. The seller then confirms, and you two exchange contact details."
            )
        },
        accept_private: "The other sellers are not told who won or at what price.",
        accept_note: "Anything the seller should know",
        accept_do: |total| format!("Order for {total}"),
        accepting: "Ordering …",
        state_quote: |state| match state {
            QuoteState::Standing => "Can be taken",
            QuoteState::Ordered => "Ordered, waiting for the seller",
            QuoteState::Confirmed => "Confirmed",
            QuoteState::Declined(_) => "The seller said no",
            QuoteState::NotConfirmed => "Not confirmed in time",
            QuoteState::Expired => "No longer holds",
            QuoteState::NotSelected => "Not taken",
            QuoteState::Cancelled { by: Role::Buyer } => "You cancelled the order",
            QuoteState::Cancelled { by: Role::Seller } => "The seller cancelled",
        },
        ordered: |time| {
            format!(
                "Ordered. The seller has until {time} to confirm. If they do not, you can take the next best quote."
            )
        },
        ordered_no_time: "Ordered. Waiting for the seller to confirm.",
        confirmed: "Confirmed. The seller is bound, and you can exchange contact details.",
        declined: |reason| format!("The seller did not confirm: {reason}. Nothing is owed."),
        not_confirmed: "The seller did not confirm in time. Nothing is owed.",
        next_best: "Take the next best",
        next_best_hint: "You can take the next best quote.",
        to_trade: "Open the trade",
        arrived: |n| match n {
            1 => "A new quote has arrived.".into(),
            _ => format!("{n} new quotes have arrived."),
        },
        arrived_order: |title| format!("An order for “{title}” has arrived."),
        arrived_confirmed: "The order is confirmed.",
        arrived_not: "An order was not confirmed.",
        arrived_contact: "Contact details have arrived.",
        arrived_match: |n| match n {
            1 => "Somebody wants what you have.".into(),
            _ => format!("{n} people want what you have."),
        },
        seller_note: "The seller says",
        stay: "Keep this page open or come back: what was quoted stays in this browser.",
        unnamed: "An unnamed seller",
        trader: "Seller",
    },
    haggling: Haggling {
        begin: "Haggle",
        heading: "What would you pay?",
        body: "The seller asks for this total. Your counter-offer binds nobody: the seller may quote anew, or not. You have three, each above the one before.",
        total: "Your counter-offer, in all",
        private: "Only this seller reads it.",
        send: "Send privately",
        sending: "Sending …",
        sent: "Your counter-offer is on its way to the seller.",
        mine: |total| format!("You offered {total}."),
        on_its_way: "It is on its way.",
        lost: "It did not arrive.",
        delivered: "The seller has it.",
        answered: "The seller has quoted anew.",
        left: |n| match n {
            0 => "It was your last one.".into(),
            1 => "You can make one more.".into(),
            _ => format!("You can make {n} more."),
        },
        theirs: |total| format!("The buyer offers {total} in all."),
        buyer_note: "The buyer says",
        meet: |total| format!("Quote {total}"),
        news: "A buyer has made a counter-offer.",
    },
    chat: ChatWords {
        heading: "Messages",
        ask_buyer: "Ask the buyer something",
        ask_seller: "Write to the seller",
        count: |n| count(n, "message", "messages"),
        questions: "Questions from sellers",
        me: "You",
        buyer: "The buyer",
        seller: "The seller",
        sending: "on its way",
        lost: "did not arrive",
        placeholder: "Your message",
        send: "Send privately",
        busy: "Sending …",
        careful: "Only the other side reads it. Haggle never asks you to pay or to sign in at an address that somebody sends you.",
        wait: "You can write again when the other side has answered.",
        news: |title| format!("A message about “{title}”."),
        new: |n| format!("{n} new"),
    },
    cancel: Cancel {
        begin: "Cancel",
        means_order: "The seller is told that you do not want it any more. It counts unless he has confirmed meanwhile.",
        means_trade: "The other side is told that you do not go on. It counts unless he has gone on meanwhile: paid, sent it or handed it over.",
        why: "Why?",
        reason: |reason| match reason {
            CancelReason::ChangedMind => "no longer wanted or possible",
            CancelReason::NotPaid => "not paid",
            CancelReason::NotDelivered => "not sent or handed over",
            CancelReason::NotAsAgreed => "not as agreed",
            CancelReason::NoAnswer => "no answer",
            CancelReason::Other => "another reason",
        },
        note: "A word with it",
        send: "Cancel it",
        sending: "Sending …",
        on_its_way: "Your cancel is on its way. It counts once the other side has it and has not gone on meanwhile.",
        refused: "Your cancel did not count: the other side had gone on before it came.",
        mine: |reason| format!("You cancelled: {reason}"),
        buyer: |reason| format!("The buyer cancelled: {reason}"),
        seller: |reason| format!("The seller cancelled: {reason}"),
        lapsed: "Ended by itself: nobody went on with it in time",
        ends: |time| format!("If nobody goes on, it ends by itself on {time}."),
        news: "The other side has cancelled.",
        news_lapsed: "A trade has ended because nobody went on with it.",
    },
    market: Market {
        heading: "Market",
        lead: "What others ask for right now. Your answer goes to that person alone.",
        empty_heading: "Nobody is asking right now",
        empty: "New requests appear here by themselves. Fill your stall meanwhile: then it can answer while you do something else.",
        none_found: "Nothing that is open fits this search.",
        search: "Search",
        only_matching: "Only what my stall has",
        category: "Category",
        all_categories: "All categories",
        show_dismissed: "Also what I hid",
        count: |n| count(n, "open request", "open requests"),
        matches: "Your stall has this",
        fits: "How it fits",
        fit_yes: "fits",
        fit_no: "does not fit",
        fit_unknown: "not stated by you",
        would_cost: |total| format!("by your prices {total}"),
        partly: "Something in your stall comes close",
        answer: "Quote a price",
        quote_again: "Improve my quote",
        dismiss: "Hide",
        answer_of: |state| match state {
            AnswerState::Sending => "Saved; waiting for a way to the buyer",
            AnswerState::Delivered => "The buyer has your quote",
            AnswerState::Ordered => "Ordered: see the trade",
            AnswerState::NotSelected => "The buyer does not need it any more",
            AnswerState::Expired => "Your quote no longer holds",
            AnswerState::Dismissed => "Hidden by you",
            AnswerState::Refused => "The buyer’s page did not take it",
        },
        automatic: "by your stall’s rules",
        by_hand: "by hand",
        my_quote: "Your quote",
        unreachable: "The buyer is away; your quote is kept and sent when they are back.",
        form_heading: "Your private quote",
        form_private: "Only this buyer can read it. Other sellers do not learn that you answered.",
        description: "What you offer",
        quantity: "How much",
        price: "Price of one",
        delivery_fee: "Delivery",
        tax: "Tax on top",
        discount: "Discount",
        valid: "Holds for",
        lead_time: "There within",
        delivery: "How",
        quality: "Quality",
        note: "A word to the buyer",
        firm: "Firm",
        firm_hint: "An order in time binds you; the stock is set aside.",
        total: "The buyer pays",
        send: "Send privately",
        sending: "Sending …",
        sent: "Your quote is on its way to the buyer.",
        since: |time| format!("since {time}"),
        from_item: |item| format!("from your stall: {item}"),
    },
    stall: Stall {
        heading: "My stall",
        lead: "What you offer. Nobody sees your stall: it matches what others ask for, and answers them one by one.",
        items: "What I offer",
        empty_heading: "Your stall is empty",
        empty: "Put in what you sell or do, with a price. When somebody asks for it, you see it at once, or your stall answers for you.",
        add: "Put something in",
        edit_heading: "Change this",
        add_heading: "What do you offer?",
        title: "Name",
        category: "Category",
        attributes: "What it is like",
        attributes_hint: "The more you state, the better it is matched.",
        unit: "Sold by",
        stock: "How much there is",
        stock_hint: "Leave it empty if it does not run out, like your time.",
        stock_left: |left, all| format!("{left} of {all} left"),
        stock_endless: "does not run out",
        currency: "Currency",
        tiers: "Prices",
        tiers_hint: "More rows make larger quantities cheaper.",
        tier_from: "From",
        tier_price: "Price of one",
        tier_add: "Add a price",
        floor: "Never below, for one",
        floor_hint: "When a buyer haggles, whatever your stall’s rules say. Stays on this device; empty if the rules are enough.",
        quality: "Quality",
        deliveries: "How it reaches the buyer",
        delivery_way: "How",
        delivery_fee: "Costs",
        delivery_time: "Takes",
        delivery_place: "Where",
        delivery_add: "Add a way",
        note: "A word with each quote",
        note_hint: "Only the buyers you answer read it.",
        auto: "How this one answers",
        auto_as_stall: "As my stall does",
        remove_ask: |title| {
            format!("Take “{title}” out of your stall? Quotes that you gave still hold.")
        },
        rules: "How my stall answers",
        rules_lead: "While this page is open, your stall can answer by itself.",
        auto_of: |auto| match auto {
            Auto::Off => "I answer by hand",
            Auto::Indicative => "It quotes, I confirm",
            Auto::Firm => "It quotes and confirms",
        },
        auto_means: |auto| match auto {
            Auto::Off => "Your stall shows you what matches. Every quote is yours to write.",
            Auto::Indicative => {
                "What matches is quoted at once, without binding you. You confirm each order, unless you trust its buyer."
            }
            Auto::Firm => {
                "What matches is quoted at once, set aside, and confirmed when it is ordered in time."
            }
        },
        valid: "A quote holds for",
        per_hour: "Quotes an hour at most",
        per_hour_hint: "Keeps anybody from collecting your prices.",
        concession: "Gives way by at most (%)",
        concession_hint: "When a buyer haggles; a third of it in each of three rounds. 0 is a fixed price.",
        min_trust: "Trusted after so many trades",
        min_trust_hint: "Who has finished that many with you is confirmed at once, although the quote bound nobody. Empty: you confirm each order.",
        payment: "How you are paid",
        payment_hint: "Sent with a confirmation: bank transfer, cash at pick-up …",
        profile: "Who you are",
        profile_lead: "Shown only to the one you trade with, after the order is confirmed.",
        name: "Name",
        phone: "Telephone",
        email: "Mail",
        address: "Address",
        instructions: "For the hand-over",
        instructions_hint: "The bell, the hours, the second door on the left …",
        trader: "How others recognise you",
        trader_hint: "Made from your key. Shown in private, with a firm quote or an order.",
        saved: "Saved in this browser.",
        each: |unit| format!("per {unit}"),
        from_quantity: |from, price| format!("from {from}: {price}"),
    },
    list: super::lists::EN,
    files: super::files::EN,
    handover: super::files::EN_HANDOVER,
    trades: Trades {
        heading: "Trades",
        empty_heading: "No trades yet",
        empty: "When you take a quote, or somebody takes yours, it goes on here until you both have what you need.",
        buying: "You buy",
        selling: "You sell",
        with: "With",
        order_in: "An order for you",
        order_heading: "Somebody ordered this from you",
        confirm: "Confirm the order",
        refuse: "Refuse",
        confirm_body: "By confirming you bind yourself to deliver. Then you both exchange contact details.",
        payment: "How it is paid",
        note: "A word to the buyer",
        refuse_heading: "Why not?",
        confirming: "Confirming …",
        timeline: "What happened",
        did_quote: "Quoted",
        did_order_mine: "You ordered",
        did_order_theirs: "The buyer ordered",
        did_confirm_mine: "You confirmed",
        did_confirm_theirs: "The seller confirmed",
        did_contact_mine: "Your contact details are on their way",
        did_contact_sent: "Your contact details arrived",
        did_contact_theirs: "Their contact details arrived",
        did_decline: |reason| format!("Not confirmed: {reason}"),
        did_lapse: "Not confirmed in time",
        wait_me: "It is your turn",
        wait_contact_mine: "Your turn: say who and where",
        wait_contact_theirs: "Waiting for the other side to say who and where",
        wait_seller: "Waiting for the seller",
        wait_buyer: "Waiting for the buyer",
        until: |time| format!("until {time}"),
        contact_theirs: "How to reach the other side",
        contact_mine: "What you sent about yourself",
        contact_none: "The other side has not sent anything yet.",
        contact_send: "Send my contact details",
        contact_sent: "Sent, sealed, to this person alone.",
        contact_hint: "Only this person can read it.",
        contact_hint_all: "Between you and one other person, and nobody else.",
        pay: "Payment",
        order_note: "The buyer says",
        confirm_note: "The seller says",
        done: "You both have what you need to hand it over.",
        way: |kind| match kind {
            "phone" => Some("Telephone"),
            "email" => Some("Mail"),
            _ => None,
        },
        at: |time| format!("at {time}"),
        steps: "What you have done",
        step_say: |step| match step {
            TradeStep::Paid => "I have paid",
            TradeStep::Dispatched => "I have sent it or handed it over",
            TradeStep::Delivered => "I have handed it over, and have the buyer’s code",
            TradeStep::Received => "I have received it",
        },
        step_means: |step| match step {
            TradeStep::Paid => "The seller is told that you have paid, as you agreed.",
            TradeStep::Dispatched => "The buyer is told that it is on its way, or in his hands.",
            TradeStep::Delivered => {
                "The buyer tells you his code once he holds it. It is your proof that you gave it to him."
            }
            TradeStep::Received => {
                "Say so once you have it and it is what you ordered: this ends the trade."
            }
        },
        step_note: "A word with it",
        step_send: "Tell the other side",
        step_mine: |step| match step {
            TradeStep::Paid => "You paid",
            TradeStep::Dispatched => "You sent it or handed it over",
            TradeStep::Delivered => "You handed it over, and have the buyer’s code to show for it",
            TradeStep::Received => "You received it",
        },
        step_theirs: |step| match step {
            TradeStep::Paid => "The buyer says: paid",
            TradeStep::Dispatched => "The seller says: sent or handed over",
            TradeStep::Delivered => "The seller handed it over, and has your code to show for it",
            TradeStep::Received => "The buyer says: received",
        },
        step_unknown: "the other side does not know yet",
        step_news: |step| match step {
            TradeStep::Paid => "The buyer says that he has paid.",
            TradeStep::Dispatched => "The seller says that it is on its way.",
            TradeStep::Delivered => "The seller has handed it over, with your code to show for it.",
            TradeStep::Received => "The buyer has received it.",
        },
        wait_dispatch_mine: "Your turn: send it or hand it over, and say so",
        wait_dispatch_theirs: "Waiting for the seller to send it or hand it over",
        wait_receipt_mine: "Your turn: say so when you have it",
        wait_receipt_theirs: "Waiting for the buyer to say that he has it",
        received: "This trade is at its end: the buyer has it, and you both have the receipt.",
    },
    link: Link {
        connecting: "Connecting",
        online: "Online",
        offline: "Offline",
        heading: "Connection",
        sum: |n| match n {
            0 => "Not connected to any relay right now.".into(),
            _ => format!("Connected through {}.", count(n, "relay", "relays")),
        },
        others: |n| match n {
            1 => "They tell of about 1 other.".into(),
            _ => format!("They tell of about {n} others."),
        },
        neighbours: |n| {
            format!(
                "{} with you.",
                count(
                    n,
                    "neighbour passes requests on",
                    "neighbours pass requests on"
                )
            )
        },
        book: |n| {
            format!(
                "{} known here.",
                count(n, "open request is", "open requests are")
            )
        },
        relays: "Relays",
        relays_lead: "A relay introduces people to each other and passes open requests on. It holds no quote, no order and no account, and cannot read what you say in private. Anyone can run one.",
        state: |state| match state {
            RelayState::Connecting => "connecting",
            RelayState::Connected => "connected",
            RelayState::Reserved => "connected; others reach you through it",
            RelayState::Waiting { .. } => "not reached",
            RelayState::Refused => "does not take more people now",
        },
        retry: |n| format!("tries again in {}", count(n, "second", "seconds")),
        reason: |code| match code {
            "unreachable" | "timeout" => Some("it does not answer"),
            "bad-address" => Some("this is no address of a relay"),
            "unsupported-address" => Some("a browser cannot use this kind of address"),
            "wrong-peer" => Some("somebody else answers at this address"),
            "denied" => Some("it does not let you in"),
            "reservation-refused" => {
                Some("it has no place left, so others cannot reach you through it")
            }
            "closed" => Some("it ended the connection"),
            _ => None,
        },
        add: "Add a relay",
        add_hint: "An address like /dns4/relay.example/tcp/443/wss/p2p/…",
        address: "Address of a relay",
        added: "The relay is added and remembered.",
        removed: "The relay is removed.",
        share: "Share",
        share_lead: "Whoever opens this link is asked whether to use this relay too.",
        link: "Link",
        qr: "The same link to scan with a camera",
        mine: "Your address on this visit",
        mine_hint: "New with every reload. It says nothing about who you are.",
        curious: "Details for the curious",
        refused: "What was not taken, and why",
        refused_none: "Nothing was refused so far.",
        refusal,
        clock: |time| {
            format!(
                "This device’s clock differs from the relay’s by {time}. Quotes may seem to end early or late: please set the clock."
            )
        },
        offline_banner: "You are offline.",
        offline_safe: "Everything you see is safe in this browser. What you do now goes out when you are connected again.",
        offer_heading: "Use this relay?",
        offer: "The link you opened names a relay. A relay sees your network address and that you use Haggle, but nothing that you say in private.",
        offer_add: "Use it",
        offer_not: "Leave it",
        see_address: "Relays see your network address.",
        no_relays: "No relay is known to this page. Add one to reach others.",
        hide: "Hide my network address from other traders",
        hide_hint: "Otherwise quotes travel directly between the two browsers, and each sees the other’s network address. Hidden, they go through a relay, still sealed, and a little slower.",
        hide_off: "This browser makes no direct connections; everything goes through relays.",
        hidden_now: "Your network address is hidden from other traders.",
        shown_now: "Traders you deal with can see your network address again.",
        directly: |n| format!("Connected with {} directly.", count(n, "trader", "traders")),
        through_relay: |n| {
            format!(
                "Connected with {} through a relay (relayed).",
                count(n, "trader", "traders")
            )
        },
        messages_directly: |n| {
            format!(
                "{} went directly.",
                count(n, "private message", "private messages")
            )
        },
        messages_relayed: |n| {
            format!(
                "{} went through a relay (relayed).",
                count(n, "private message", "private messages")
            )
        },
        dial_me: "Under this address other libp2p programs reach you directly:",
    },
    who: Who {
        heading: "Who you are here",
        lead: "Each name has its own keys, stall, requests and trades in this browser. One window at a time can be one person.",
        here: "In this window",
        nameless: "You",
        name: "Name",
        open: "Open as this person",
        list: "Used in this browser",
        you: |name| format!("You are {name}"),
        try_both: "Try both sides",
        try_lead: "Open a second window as somebody else, say Ben: ask here, answer there.",
    },
    stop: Stop {
        opening: "Opening what this browser knows …",
        busy_heading: "Open in another window",
        busy: |name| {
            format!(
                "{name} is already open in another window or tab of this browser, and goes on there."
            )
        },
        busy_you: "You have this page open in another window or tab of this browser, and it goes on there.",
        busy_take: "Go on here instead",
        busy_take_hint: "The other window then rests. Nothing that was confirmed is lost.",
        busy_other: "Be somebody else here",
        storage_heading: "This cannot go on like this",
        storage: |_| None,
        stopped_heading: "This page has stopped",
        stopped_safe: "What was confirmed to you is saved. What you were just typing is kept too, as long as this window stays open.",
        reload: "Load again",
        code: |code| format!("For a report: {code}"),
        no_relays_file: "The list of relays that belongs to this page could not be read; you can add one by hand.",
    },
};

fn reason(reason: &Reason, amount: Amount<'_>) -> String {
    let quality = |quality: Quality| (WORDS.word.quality)(quality).to_lowercase();
    match reason {
        Reason::Only => "The only quote so far.".into(),
        Reason::Cheapest => "The lowest total.".into(),
        Reason::DearerBy { by } => format!("{} more than the lowest.", amount(*by)),
        Reason::BestQuality { quality: own } => format!("The best quality: {}.", quality(*own)),
        Reason::BetterThanCheapest {
            quality: own,
            cheapest,
        } => format!(
            "Better than the cheapest: {} instead of {}.",
            quality(*own),
            quality(*cheapest)
        ),
        Reason::SoonerThanCheapest { seconds } => {
            format!(
                "{} sooner than the cheapest.",
                duration(&WORDS, u64::from(*seconds))
            )
        }
        Reason::LesserQuality { quality: own, best } => {
            format!(
                "Less good than the best: {} instead of {}.",
                quality(*own),
                quality(*best)
            )
        }
        Reason::Fastest { lead_time } => {
            format!(
                "There first, within {}.",
                duration(&WORDS, u64::from(*lead_time))
            )
        }
        Reason::SlowerBy { seconds } => {
            format!(
                "{} later than the fastest.",
                duration(&WORDS, u64::from(*seconds))
            )
        }
        Reason::AllWishes => "Has everything you wished for.".into(),
        Reason::MissesWishes { count: n } => format!(
            "{} not met or not stated.",
            count(u64::from(*n), "wish is", "wishes are")
        ),
        Reason::OverLimit { by } => format!("{} above your limit.", amount(*by)),
        Reason::Firm => "Binding, and set aside for you.".into(),
        Reason::NotStanding => "Can no longer be taken.".into(),
    }
}

fn unit(code: &str, one: bool) -> Option<S> {
    let of = |single, many| if one { single } else { many };
    Some(match code {
        "C62" => of("piece", "pieces"),
        "HUR" => of("hour", "hours"),
        "DAY" => of("day", "days"),
        "WEE" => of("week", "weeks"),
        "MON" => of("month", "months"),
        "ANN" => of("year", "years"),
        "MIN" => of("minute", "minutes"),
        "GRM" => "g",
        "KGM" => "kg",
        "TNE" => of("tonne", "tonnes"),
        "LTR" => of("litre", "litres"),
        "MMT" => "mm",
        "CMT" => "cm",
        "MTR" => "m",
        "KMT" => "km",
        "INH" => of("inch", "inches"),
        "MTK" => "m²",
        "KWH" => "kWh",
        "WTT" => "W",
        "SET" => of("set", "sets"),
        "PR" => of("pair", "pairs"),
        "4L" => "MB",
        "E34" => "GB",
        "E35" => "TB",
        "MHZ" => "MHz",
        "A86" => "GHz",
        "CEL" => "°C",
        "P1" => "%",
        _ => return None,
    })
}

fn attribute(key: &str) -> Option<S> {
    Some(match key {
        "ram" => "memory",
        "hd" => "disk",
        "screen" => "screen",
        "speed" => "speed",
        "cd" => "CD drive",
        "multi" => "multimedia kit",
        "premium" => "well-known brand",
        "brand" => "brand",
        "colour" => "colour",
        "size" => "size",
        "frame" => "frame",
        "weight" => "weight",
        "year" => "year",
        "material" => "material",
        "condition" => "condition",
        _ => return None,
    })
}

fn refusal(code: &str) -> S {
    match code {
        "too-large" | "truncated" | "not-canonical" | "bad-field" | "bad-text"
        | "missing-field" | "bad-padding" | "cell-size" => "badly formed",
        "unknown-field" | "unknown-version" | "unknown-kind" | "unknown-message" => {
            "in a form that a newer version knows"
        }
        "other-network" => "from another market",
        "expired" | "too-late" => "too late",
        "from-the-future" => "from a clock that is ahead",
        "lives-too-long" => "wanted to stay too long",
        "no-work" | "too-little-work" => "without the work that keeps spam away",
        "bad-key" | "bad-signature" | "bad-reach" | "wrong-sender" | "no-intent-proof"
        | "bad-trader-proof" => "with a signature that does not fit",
        "duplicate" | "older-revision" | "replayed" => "known already",
        "wrong-intent" | "wrong-thread" | "wrong-recipient" | "wrong-direction"
        | "unknown-recipient" | "unknown-revision" => "not meant for you, or about something else",
        "closed" => "about something that is over",
        "author-rate" | "source-rate" | "whisper-rate" | "too-many-quotes" => "too many at once",
        "book-full" => "no room for more",
        "blocked" => "blocked by you",
        "seal-broken" => "with a broken seal",
        "no-trader" => "by nobody who shows who they are",
        "wrong-sum" | "wrong-unit" => "with sums or units that do not fit",
        "wrong-state" => "not what comes next",
        "not-kept" => "could not be kept",
        _ => "for another reason",
    }
}
