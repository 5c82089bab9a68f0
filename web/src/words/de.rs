//! German, in the familiar form: the page speaks to a person as one does in a market.

mod complaints;
mod measures;

use haggle_protocol::attribute::Comparison;
use haggle_protocol::intent::Delivery;
use haggle_protocol::quote::{ChargeKind, Quality};
use haggle_protocol::trade::{CancelReason, DeclineReason};

use self::complaints::complaint;
use self::measures::{attribute, unit};
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

/// `1 Tag`, `2 Tage`.
fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// All sentences.
pub(super) const WORDS: Words = Words {
    all: All {
        title: "Haggle: laut fragen, vertraulich Angebote bekommen",
        tagline: "Laut fragen. Vertraulich Angebote bekommen.",
        skip: "Zum Inhalt springen",
        menu: "Einstellungen",
        nav: "Hauptnavigation",
        language: "Sprache",
        theme: "Farben",
        theme_system: "Wie dieses Gerät",
        theme_light: "Hell",
        notices: "Neues melden, während ich woanders bin",
        notices_hint: "Dein Gerät zeigt, was geschehen ist: ein Angebot, eine Bestellung, eine Nachricht. Nie einen Preis oder Namen.",
        notices_denied: "Dein Browser erlaubt es dieser Seite nicht. Das lässt sich in seinen Einstellungen für diese Website ändern.",
        theme_dark: "Dunkel",
        close: "Schließen",
        cancel: "Abbrechen",
        save: "Speichern",
        remove: "Entfernen",
        add: "Hinzufügen",
        edit: "Ändern",
        back: "Zurück",
        yes: "ja",
        no: "nein",
        everyone_sees: "Das sehen alle",
        only_you: "Nur du, oder nur der Anbieter deiner Wahl",
        private: "Vertraulich",
        optional: "freiwillig",
        anywhere: "Überall",
        around: |city| format!("Um {city}"),
        from_to: |from, to| format!("Von der Gegend um {from} in die um {to}"),
        free: "kostenlos",
        saved: "Gespeichert.",
        copied: "Kopiert.",
        copy: "Kopieren",
        more: |n| format!("{n} weitere zeigen"),
        somewhere: "Eine Gegend ohne große Stadt",
        working: "Einen Moment …",
        footer: "Kein Server hat deine Angebote, Bestellungen oder Kontakte. Sie bleiben in diesem Browser.",
    },
    safe: SafeWords {
        open: "Sicherung und deine Daten",
        heading: "Sicherung und deine Daten",
        lead: "Alles, was du hier hast, liegt in diesem Browser und nirgends sonst. Zurückgeben kannst nur du selbst es dir.",
        stays: "Dieser Browser hat zugesagt, es zu behalten, bis du es löschst.",
        may_go: "Dieser Browser darf es löschen, wenn der Platz knapp wird, und ein privates Fenster vergisst es beim Schließen.",
        never: "Noch nicht geschehen.",
        since: |when| format!("Geschehen am {when}."),
        words: "Deine zwölf Wörter",
        words_lead: "Sie bringen deinen Ruf und deine offenen Gesuche auf jedes Gerät zurück. Geschäfte bringen sie nicht zurück: dafür ist die Datei da.",
        words_show: "Wörter zeigen",
        words_paper: "Schreib sie auf Papier, in dieser Reihenfolge. Wer sie liest, kann als du handeln.",
        words_written: "Ich habe sie aufgeschrieben",
        word_number: |n| format!("Wort {n}"),
        words_check: "Prüfen",
        words_wrong: "So steht es nicht auf der Liste. Sieh auf dein Papier, oder lass dir die Wörter noch einmal zeigen.",
        words_right: "Richtig. Bewahr das Papier dort auf, wo dein Wichtiges liegt.",
        file: "Sicherungsdatei",
        file_lead: "Alles aus diesem Profil, verschlüsselt: Geschäfte, Nachrichten, Kontakte, dein Stand. Deine Wörter öffnen sie. Was danach kommt, steht nicht darin: sichere nach jeder Bestellung.",
        passphrase: "Ein Kennsatz, der sie auch öffnet",
        passphrase_hint: "Wenn du magst. Mindestens 8 Zeichen; am besten mehrere Wörter.",
        file_save: "Sicherungsdatei speichern",
        file_saved: |name| format!("{name} liegt bei deinen Downloads."),
        file_stale: "Deine neueste Bestellung steht nicht in deiner Sicherungsdatei. Speichere sie noch einmal.",
        back: "Zurückkommen",
        back_lead: "Prüf, ob deine Datei oder deine Wörter taugen, und mach hier damit weiter, wenn du willst. Prüfen ändert nichts.",
        back_file: "Sicherungsdatei",
        back_secret: "Deine Wörter, oder der Kennsatz der Datei",
        back_secret_hint: "Zwölf Wörter mit Leerzeichen dazwischen. Ohne Datei werden die Wörter allein geprüft.",
        back_check: "Datei prüfen",
        back_check_words: "Wörter prüfen",
        back_found: |when, [intents, threads, items]| {
            format!(
                "Sie lässt sich öffnen. Gespeichert am {when}: {}, {}, {}.",
                count(intents, "Gesuch", "Gesuche"),
                count(threads, "Austausch mit anderen", "Austausche mit anderen"),
                count(items, "Angebot am Stand", "Angebote am Stand")
            )
        },
        back_words: "Diese Wörter gehören zusammen. Sie bringen einen Ruf zurück und die Gesuche, die noch offen sind.",
        back_sure: "Alles in diesem Profil dadurch ersetzen",
        back_once: "Benutz es nur an einem Ort: zwei Geräte, die als eine Person handeln, widersprechen einander.",
        back_do: "Hier damit weitermachen",
        erase: "Alles löschen",
        erase_lead: "Entfernt dieses Profil aus diesem Browser: Wörter, Gesuche, Geschäfte, Stand. Was andere von dir bekommen haben, bleibt bei ihnen.",
        erase_trades: |n| {
            format!(
                "{}. Die andere Seite wartet weiter auf dich.",
                count(n, "Geschäft läuft noch", "Geschäfte laufen noch")
            )
        },
        erase_sure: "Ich habe, was ich brauche, oder brauche nichts davon",
        erase_do: "Alles löschen",
        reminder: "Das wird deine erste Bestellung von hier, und wenn dieser Browser seine Daten verliert, ist auch sie verloren.",
        reminder_do: "Erst sichern",
    },
    nav: Nav {
        ask: "Fragen",
        requests: "Meine Gesuche",
        market: "Markt",
        stall: "Mein Stand",
        trades: "Geschäfte",
        waiting: |n| match n {
            1 => "1 wartet auf dich".into(),
            _ => format!("{n} warten auf dich"),
        },
    },
    word: Word {
        seconds: |n| count(n, "Sekunde", "Sekunden"),
        minutes: |n| count(n, "Minute", "Minuten"),
        hours: |n| count(n, "Stunde", "Stunden"),
        days: |n| count(n, "Tag", "Tage"),
        within: |time| format!("innerhalb von {}", dative(time)),
        at_once: "sofort",
        over: "vorbei",
        span: |span| match span {
            Span::Minutes => "Minuten",
            Span::Hours => "Stunden",
            Span::Days => "Tage",
        },
        unit,
        attribute,
        comparison: |comparison| match comparison {
            Comparison::Is => "ist",
            Comparison::AtLeast => "mindestens",
            Comparison::AtMost => "höchstens",
        },
        delivery: |delivery| match delivery {
            Delivery::Pickup => "Abholen",
            Delivery::Shipping => "Schicken oder bringen",
            Delivery::OnSite => "Vor Ort erledigt",
            Delivery::Digital => "Online",
            Delivery::Transport => "Von Ort zu Ort",
        },
        quality: |quality| match quality {
            Quality::Basic => "Einfach",
            Quality::Fair => "Ordentlich",
            Quality::Good => "Gut",
            Quality::Fine => "Sehr gut",
            Quality::Finest => "Hervorragend",
        },
        quality_means: |quality| match quality {
            Quality::Basic => "für Teile, oder wie ein Anfänger es macht",
            Quality::Fair => "gebraucht und funktionstüchtig, oder gewöhnliche Arbeit",
            Quality::Good => "gut, wie es die meisten erwarten",
            Quality::Fine => "wie neu, oder von jemandem mit Erfahrung",
            Quality::Finest => "neu, oder das Beste, was es gibt",
        },
        charge: |kind| match kind {
            ChargeKind::Delivery => "Lieferung",
            ChargeKind::Tax => "Steuer",
            ChargeKind::Fee => "Gebühr",
            ChargeKind::Discount => "Nachlass",
        },
        decline: |reason| match reason {
            DeclineReason::NoStock => "nichts mehr da",
            DeclineReason::Price => "nicht zu diesem Preis",
            DeclineReason::Area => "nicht in dieser Gegend",
            DeclineReason::Policy => "nicht nach den eigenen Regeln",
            DeclineReason::Busy => "keine Zeit",
            DeclineReason::QuoteExpired => "das Angebot gilt nicht mehr",
            DeclineReason::Other => "ein anderer Grund",
        },
        wrong: |wrong| match wrong {
            Wrong::Missing => "Bitte füll das aus.",
            Wrong::TooLong => "Das ist zu lang. Bitte kürze es.",
            Wrong::NotANumber => {
                "Das ist keine Zahl, die hierher passt. Schreib sie wie 12 oder 12,50."
            }
            Wrong::Zero => "Das muss mehr als null sein.",
            Wrong::NotACurrency => {
                "Eine Währung ist ein Kürzel aus zwei bis acht Buchstaben, wie EUR."
            }
            Wrong::NoneChosen => "Bitte wähle mindestens eines.",
            Wrong::NoName => "Sag, was der Wert ist: Größe, Marke, Baujahr …",
            Wrong::NeedsNumber => "„Mindestens“ und „höchstens“ brauchen eine Zahl.",
            Wrong::BelowZero => "Der Nachlass ist größer als alles andere zusammen.",
            Wrong::NotLess => "Biete weniger, als verlangt wird.",
            Wrong::NotAMint => "Die Adresse einer Mint sieht aus wie https://mint.example.",
            Wrong::TooMuch => "Das ist mehr, als da ist.",
            Wrong::Unticked => "Bitte kreuze das an, oder wähle eine andere Art.",
            Wrong::OverATenth => "Nimm höchstens ein Zehntel: 10 %.",
            Wrong::NotThatTime => "Zwischen einer Stunde und dreißig Tagen.",
        },
        complaint,
        quality_grade: |quality, means| format!("{quality}: {means}"),
        any_category: "Irgendetwas",
    },
    ask: Ask {
        heading: "Was suchst du?",
        lead: "Sag es einmal, laut. Wer es hat, antwortet nur dir, und niemand sonst erfährt, was er dafür verlangt.",
        what: "Ich suche",
        what_hint: "Eine Zeile, die ein Fremder versteht.",
        what_example: "ein Rennrad, Rahmenhöhe 56 cm",
        category: "Kategorie",
        category_or: "Oder eher:",
        category_hint: "Stände, die von selbst antworten, richten sich danach.",
        how_much: "Wie viel",
        unit: "wovon",
        currency: "Bezahlt in",
        limit: "Höchstens zahle ich",
        limit_hint: "Bleibt auf diesem Gerät. Danach werden Angebote geordnet, und es warnt dich.",
        say_heading: "Was du über Geld sagst",
        say: |say| match say {
            Say::Nothing => "Nichts",
            Say::Roughly => "Ungefähr",
            Say::All => "Meine Grenze",
        },
        say_hint: |say| match say {
            Say::Nothing => "Die Anbieter nennen ihren Preis. Meist das Beste für dich.",
            Say::Roughly => "Alle sehen die Größenordnung deiner Grenze.",
            Say::All => "Alle sehen deine Grenze. Erwarte Angebote knapp darunter.",
        },
        wishes: "Wie es sein soll",
        wishes_hint: "Eigenschaften, nach denen Anbieter gefunden werden. Hake „muss“ an, worauf du nicht verzichtest.",
        wish_name: "Eigenschaft",
        wish_how: "Vergleich",
        wish_value: "Wert",
        wish_unit: "Einheit",
        wish_no_unit: "ein Wort",
        wish_must: "muss",
        wish_add: "Eigenschaft hinzufügen",
        wish_remove: |name| format!("Die Eigenschaft {name} entfernen"),
        delivery: "Wie es zu dir kommen kann",
        delivery_heading: "Wo und wie",
        place: "In der Gegend um",
        place_to: "In die Gegend um",
        place_hint: "Ein Quadrat von etwa 150 km. Nach deiner Adresse wird hier nie gefragt.",
        when: "Wann",
        by: "Gebraucht bis",
        by_hint: "Leer lassen, wenn es egal ist.",
        open_for: "Bleibt offen für",
        quotes_for: "Nimmt Angebote an für",
        quotes_as_long: "solange es offen ist",
        taste: "Was zählt beim Ordnen der Angebote am meisten?",
        taste_of: |taste| match taste {
            Taste::Balanced => "Alles zusammen",
            Taste::Cheapest => "Der Preis",
            Taste::Fastest => "Die Zeit",
            Taste::Best => "Die Qualität",
        },
        details: "Mit mehr Worten",
        details_hint: "Auch das sehen alle. Lass Namen, Adressen und Telefonnummern weg.",
        more_heading: "Mehr Einzelheiten",
        preview: "Bevor du es sagst",
        preview_empty: "Während du schreibst, steht hier, was alle sehen werden.",
        public_hint: "Für alle, unterschrieben mit einem Schlüssel nur für dieses Gesuch.",
        private_of: |code| match code {
            "limit" => Some("Deine Grenze"),
            "budget" => Some("Was du zahlen würdest"),
            "name" => Some(
                "Dein Name und Kontakt: nur für den, bei dem du bestellst, sobald er bestätigt hat",
            ),
            "address" => {
                Some("Deine Adresse: nur für den, bei dem du bestellst, sobald er bestätigt hat")
            }
            "taste" => Some("Was dir beim Ordnen der Angebote wichtig ist"),
            "reputation" => Some("Wer du bist: das sieht ein Anbieter, wenn du bei ihm bestellst"),
            "quotes" => Some("Jedes Angebot, das du bekommst, und welches du nimmst"),
            _ => None,
        },
        limit_of: |limit| format!("Deine Grenze von {limit}"),
        warning_of: |code| match code {
            "same-visit" => Some(
                "Gesuche aus einem Besuch sind als die einer Person zu erkennen. Lade die Seite neu, um einen neuen Besuch zu beginnen.",
            ),
            "network-address" => {
                Some("Die Relais, die dich verbinden, sehen deine Netzadresse, wie jede Website.")
            }
            _ => None,
        },
        warnings: "Gut zu wissen",
        publish: "Laut sagen",
        publishing: "Wird gesagt …",
        published: "Gesagt. Angebote erscheinen hier, sobald jemand antwortet.",
        flaws: |n| match n {
            1 => "Eine Stelle braucht noch einen Blick, bevor das gesagt werden kann.".into(),
            _ => format!("{n} Stellen brauchen noch einen Blick, bevor das gesagt werden kann."),
        },
        not_yet: "Die Seite öffnet noch, was sie weiß. Einen Moment.",
        sellers_answer: "Wer es hat, antwortet mit einem versiegelten Angebot. Nur diese Seite kann es öffnen.",
    },
    slip: Slip {
        wanted: "Gesucht",
        quantity: "Wie viel",
        budget: "Budget",
        budget_sealed: |currency| format!("Nenn deinen Preis, in {currency}"),
        budget_band: |most| format!("Bis etwa {most}"),
        budget_public: |most| format!("Höchstens {most}"),
        delivery: "Wie",
        place: "Wo",
        by: "Wann",
        by_day: |day| format!("bis {day}"),
        quotes_until: |time| format!("nimmt Angebote bis {time}"),
        quotes_until_label: "Angebote",
        quotes_closed: "nimmt keine Angebote mehr",
        must: "muss",
        wish: "Wunsch",
        category: "Kategorie",
        wishes: "Eigenschaften",
    },
    requests: Requests {
        heading: "Meine Gesuche",
        empty_heading: "Noch nichts gesagt",
        empty: "Frag nach allem: einer Sache, einer Arbeit, einer Fahrt. Du sagst es einmal, und vertrauliche Angebote kommen hierher, das beste zuerst, mit dem Grund dafür.",
        empty_do: "Nach etwas fragen",
        state: |state| match state {
            IntentState::Open => "Offen",
            IntentState::Ordered => "Bestellt",
            IntentState::Awarded => "Vereinbart",
            IntentState::Withdrawn => "Zurückgezogen",
            IntentState::Expired => "Beendet",
        },
        out_since: |time| format!("Draußen seit {time}"),
        not_out: "Gespeichert; es geht hinaus, sobald du verbunden bist",
        through: |n| match n {
            1 => "verbunden über ein Relais".into(),
            _ => format!("verbunden über {n} Relais"),
        },
        no_relay: "gerade nicht verbunden",
        answered: |n| match n {
            0 => "noch hat niemand geantwortet".into(),
            1 => "1 Anbieter hat geantwortet".into(),
            _ => format!("{n} Anbieter haben geantwortet"),
        },
        quotes_left: |time| format!("Angebote noch {time}"),
        quotes_over: "es werden keine Angebote mehr angenommen",
        slow_heading: "Noch kein Angebot. Was hilft:",
        slow_time: "Lass diese Seite offen: Wer später kommt, findet dein Gesuch auch noch.",
        slow_widen: "Prüf die Kategorie. Nenn eine weitere Gegend, mehr Wege der Lieferung oder weniger, was sein muss.",
        slow_book: "Schau auf den Markt, ob jemand da ist, der antworten könnte.",
        quotes: "Angebote, das beste zuerst",
        quotes_none: "Angebote erscheinen hier von selbst, das beste zuerst.",
        withdraw: "Zurückziehen",
        withdrawing: "Dieses Gesuch wird zurückgezogen.",
        withdrawn_undo: "Behalten",
        again: "Noch einmal fragen",
        rank: |n| format!("Nr. {n}"),
        total: "Summe",
        why: "Warum es hier steht",
        reason,
        firm: "Verbindlich",
        firm_hint: "Es ist für dich zurückgelegt, und eine rechtzeitige Bestellung bindet den Anbieter.",
        indicative: "Unverbindlich",
        indicative_hint: "Der Anbieter bestätigt eine Bestellung von Hand.",
        breakdown: "Woraus es besteht",
        holds: |time| format!("gilt noch {time}"),
        there: |time| format!("da {time}"),
        accept: "Dieses Angebot annehmen",
        accept_other: "Lieber dieses nehmen",
        accept_heading: "Für diese Summe bestellen?",
        accept_body: |total, title| {
            format!(
                "Du bestellst „{title}“ für {total}. Dann bestätigt der Anbieter, und ihr tauscht eure Kontaktdaten."
            )
        },
        accept_private: "Die anderen Anbieter erfahren nicht, wer gewonnen hat und zu welchem Preis.",
        accept_note: "Was der Anbieter wissen sollte",
        accept_do: |total| format!("Für {total} bestellen"),
        accepting: "Wird bestellt …",
        state_quote: |state| match state {
            QuoteState::Standing => "Kann angenommen werden",
            QuoteState::Ordered => "Bestellt, der Anbieter ist dran",
            QuoteState::Confirmed => "Bestätigt",
            QuoteState::Declined(_) => "Der Anbieter hat abgelehnt",
            QuoteState::NotConfirmed => "Nicht rechtzeitig bestätigt",
            QuoteState::Expired => "Gilt nicht mehr",
            QuoteState::NotSelected => "Nicht genommen",
            QuoteState::Cancelled { by: Role::Buyer } => "Du hast die Bestellung storniert",
            QuoteState::Cancelled { by: Role::Seller } => "Der Anbieter hat storniert",
        },
        ordered: |time| {
            format!(
                "Bestellt. Der Anbieter hat bis {time} Zeit zu bestätigen. Tut er es nicht, kannst du das nächstbeste Angebot nehmen."
            )
        },
        ordered_no_time: "Bestellt. Der Anbieter muss noch bestätigen.",
        confirmed: "Bestätigt. Der Anbieter ist gebunden, und ihr könnt eure Kontaktdaten tauschen.",
        declined: |reason| {
            format!("Der Anbieter hat nicht bestätigt: {reason}. Du schuldest nichts.")
        },
        not_confirmed: "Der Anbieter hat nicht rechtzeitig bestätigt. Du schuldest nichts.",
        next_best: "Das nächstbeste nehmen",
        next_best_hint: "Du kannst das nächstbeste Angebot nehmen.",
        to_trade: "Zum Geschäft",
        arrived: |n| match n {
            1 => "Ein neues Angebot ist da.".into(),
            _ => format!("{n} neue Angebote sind da."),
        },
        arrived_order: |title| format!("Eine Bestellung für „{title}“ ist da."),
        arrived_confirmed: "Die Bestellung ist bestätigt.",
        arrived_not: "Eine Bestellung wurde nicht bestätigt.",
        arrived_contact: "Kontaktdaten sind da.",
        arrived_match: |n| match n {
            1 => "Jemand sucht, was du hast.".into(),
            _ => format!("{n} Leute suchen, was du hast."),
        },
        seller_note: "Der Anbieter sagt",
        stay: "Lass die Seite offen oder komm wieder: Was angeboten wurde, bleibt in diesem Browser.",
        unnamed: "Ein Anbieter ohne Namen",
        trader: "Anbieter",
    },
    haggling: Haggling {
        begin: "Handeln",
        heading: "Was würdest du zahlen?",
        body: "Der Anbieter verlangt diese Summe. Dein Gegenangebot bindet niemanden: Er kann neu anbieten oder auch nicht. Du hast drei, jedes höher als das davor.",
        total: "Dein Gegenangebot, insgesamt",
        private: "Nur dieser Anbieter liest es.",
        send: "Vertraulich senden",
        sending: "Wird gesendet …",
        sent: "Dein Gegenangebot ist unterwegs zum Anbieter.",
        mine: |total| format!("Du hast {total} geboten."),
        on_its_way: "Es ist unterwegs.",
        lost: "Es ist nicht bekannt, ob es angekommen ist.",
        delivered: "Der Anbieter hat es.",
        answered: "Der Anbieter hat neu angeboten.",
        left: |n| match n {
            0 => "Es war dein letztes.".into(),
            1 => "Eines kannst du noch machen.".into(),
            _ => format!("Du kannst noch {n} machen."),
        },
        theirs: |total| format!("Der Käufer bietet insgesamt {total}."),
        buyer_note: "Der Käufer sagt",
        meet: |total| format!("Für {total} anbieten"),
        news: "Ein Käufer hat ein Gegenangebot gemacht.",
    },
    chat: ChatWords {
        heading: "Nachrichten",
        ask_buyer: "Den Käufer etwas fragen",
        ask_seller: "Dem Anbieter schreiben",
        count: |n| count(n, "Nachricht", "Nachrichten"),
        questions: "Fragen von Anbietern",
        me: "Du",
        buyer: "Der Käufer",
        seller: "Der Anbieter",
        sending: "unterwegs",
        lost: "ob es ankam, ist nicht bekannt",
        placeholder: "Deine Nachricht",
        send: "Vertraulich senden",
        busy: "Wird gesendet …",
        careful: "Nur die andere Seite liest es. Haggle bittet dich nie, an einer Adresse zu zahlen oder dich anzumelden, die dir jemand schickt.",
        wait: "Du kannst wieder schreiben, wenn die andere Seite geantwortet hat.",
        news: |title| format!("Eine Nachricht zu „{title}“."),
        new: |n| format!("{n} neu"),
    },
    cancel: Cancel {
        begin: "Stornieren",
        means_order: "Der Anbieter erfährt, dass du es nicht mehr willst. Es gilt, wenn er nicht inzwischen bestätigt hat.",
        means_trade: "Die andere Seite erfährt, dass du nicht weitermachst. Es gilt, wenn sie nicht inzwischen weiter ist: bezahlt, versandt oder übergeben hat.",
        why: "Warum?",
        reason: |reason| match reason {
            CancelReason::ChangedMind => "nicht mehr gewollt oder möglich",
            CancelReason::NotPaid => "nicht bezahlt",
            CancelReason::NotDelivered => "nicht versandt oder übergeben",
            CancelReason::NotAsAgreed => "nicht wie abgemacht",
            CancelReason::NoAnswer => "keine Antwort",
            CancelReason::Other => "ein anderer Grund",
        },
        note: "Ein Wort dazu",
        send: "Stornieren",
        sending: "Wird gesendet …",
        on_its_way: "Deine Stornierung ist unterwegs. Sie gilt, sobald die andere Seite sie hat und nicht inzwischen weiter ist.",
        refused: "Deine Stornierung galt nicht: Die andere Seite war schon weiter, bevor sie kam.",
        mine: |reason| format!("Du hast storniert: {reason}"),
        buyer: |reason| format!("Der Käufer hat storniert: {reason}"),
        seller: |reason| format!("Der Anbieter hat storniert: {reason}"),
        lapsed: "Von selbst zu Ende: Niemand hat rechtzeitig weitergemacht",
        ends: |time| format!("Wenn niemand weitermacht, endet es von selbst am {time}."),
        news: "Die andere Seite hat storniert.",
        news_lapsed: "Ein Geschäft ist zu Ende, weil niemand weitergemacht hat.",
    },
    market: Market {
        heading: "Markt",
        lead: "Wonach andere gerade fragen. Deine Antwort bekommt nur der, der fragt.",
        empty_heading: "Gerade fragt niemand",
        empty: "Neue Gesuche erscheinen hier von selbst. Füll so lange deinen Stand: Dann kann er antworten, während du etwas anderes tust.",
        none_found: "Nichts Offenes passt zu dieser Suche.",
        search: "Suchen",
        only_matching: "Nur was mein Stand hat",
        category: "Kategorie",
        all_categories: "Alle Kategorien",
        show_dismissed: "Auch Ausgeblendetes",
        count: |n| count(n, "offenes Gesuch", "offene Gesuche"),
        matches: "Dein Stand hat das",
        fits: "Wie es passt",
        fit_yes: "passt",
        fit_no: "passt nicht",
        fit_unknown: "von dir nicht angegeben",
        would_cost: |total| format!("nach deinen Preisen {total}"),
        partly: "Etwas an deinem Stand kommt dem nahe",
        answer: "Preis nennen",
        quote_again: "Mein Angebot verbessern",
        dismiss: "Ausblenden",
        answer_of: |state| match state {
            AnswerState::Sending => "Gespeichert; wartet auf einen Weg zum Käufer",
            AnswerState::Delivered => "Der Käufer hat dein Angebot",
            AnswerState::Ordered => "Bestellt: siehe das Geschäft",
            AnswerState::NotSelected => "Der Käufer braucht es nicht mehr",
            AnswerState::Expired => "Dein Angebot gilt nicht mehr",
            AnswerState::Dismissed => "Von dir ausgeblendet",
            AnswerState::Refused => "Die Seite des Käufers hat es nicht angenommen",
        },
        automatic: "nach den Regeln deines Standes",
        by_hand: "von Hand",
        my_quote: "Dein Angebot",
        unreachable: "Der Käufer ist gerade weg; dein Angebot wird aufgehoben und geschickt, wenn er wieder da ist.",
        form_heading: "Dein vertrauliches Angebot",
        form_private: "Nur dieser Käufer kann es lesen. Andere Anbieter erfahren nicht, dass du geantwortet hast.",
        description: "Was du anbietest",
        quantity: "Wie viel",
        price: "Preis für eines",
        delivery_fee: "Lieferung",
        tax: "Steuer dazu",
        discount: "Nachlass",
        valid: "Gilt",
        lead_time: "Da innerhalb von",
        delivery: "Wie",
        quality: "Qualität",
        note: "Ein Wort an den Käufer",
        firm: "Verbindlich",
        firm_hint: "Eine rechtzeitige Bestellung bindet dich; die Ware wird zurückgelegt.",
        total: "Der Käufer zahlt",
        send: "Vertraulich senden",
        sending: "Wird gesendet …",
        sent: "Dein Angebot ist unterwegs zum Käufer.",
        since: |time| format!("seit {time}"),
        from_item: |item| format!("von deinem Stand: {item}"),
    },
    stall: Stall {
        heading: "Mein Stand",
        lead: "Was du anbietest. Niemand sieht deinen Stand: Er vergleicht, wonach andere fragen, und antwortet jedem einzeln.",
        items: "Was ich anbiete",
        empty_heading: "Dein Stand ist leer",
        empty: "Stell hinein, was du verkaufst oder kannst, mit einem Preis. Fragt jemand danach, siehst du es sofort, oder dein Stand antwortet für dich.",
        add: "Etwas hineinstellen",
        edit_heading: "Das hier ändern",
        add_heading: "Was bietest du an?",
        title: "Name",
        category: "Kategorie",
        attributes: "Wie es ist",
        attributes_hint: "Je mehr du angibst, desto besser wird es gefunden.",
        unit: "Verkauft nach",
        stock: "Wie viel es gibt",
        stock_hint: "Leer lassen, wenn es nicht ausgeht, wie deine Zeit.",
        stock_left: |left, all| format!("noch {left} von {all}"),
        stock_endless: "geht nicht aus",
        currency: "Währung",
        tiers: "Preise",
        tiers_hint: "Mit mehr Zeilen werden größere Mengen billiger.",
        tier_from: "Ab",
        tier_price: "Preis für eines",
        tier_add: "Preis hinzufügen",
        floor: "Nie unter, für eines",
        floor_hint: "Wenn ein Käufer handelt, was auch immer die Regeln deines Standes sagen. Bleibt auf diesem Gerät; leer, wenn die Regeln genügen.",
        quality: "Qualität",
        deliveries: "Wie es zum Käufer kommt",
        delivery_way: "Wie",
        delivery_fee: "Kostet",
        delivery_time: "Dauert",
        delivery_place: "Wo",
        delivery_add: "Weg hinzufügen",
        note: "Ein Wort zu jedem Angebot",
        note_hint: "Das lesen nur die Käufer, denen du antwortest.",
        auto: "Wie hierfür geantwortet wird",
        auto_as_stall: "Wie an meinem ganzen Stand",
        remove_ask: |title| {
            format!(
                "„{title}“ von deinem Stand nehmen? Angebote, die du gemacht hast, gelten weiter."
            )
        },
        rules: "Wie mein Stand antwortet",
        rules_lead: "Solange diese Seite offen ist, kann dein Stand von selbst antworten.",
        auto_of: |auto| match auto {
            Auto::Off => "Ich antworte von Hand",
            Auto::Indicative => "Er bietet an, ich bestätige",
            Auto::Firm => "Er bietet an und bestätigt",
        },
        auto_means: |auto| match auto {
            Auto::Off => "Dein Stand zeigt dir, was passt. Jedes Angebot schreibst du selbst.",
            Auto::Indicative => {
                "Was passt, wird sofort angeboten, ohne dich zu binden. Jede Bestellung bestätigst du, wenn du ihrem Käufer nicht vertraust."
            }
            Auto::Firm => {
                "Was passt, wird sofort angeboten, zurückgelegt und bei rechtzeitiger Bestellung bestätigt."
            }
        },
        valid: "Ein Angebot gilt",
        per_hour: "Angebote je Stunde höchstens",
        per_hour_hint: "So kann niemand deine Preise einsammeln.",
        concession: "Gibt nach um höchstens (%)",
        concession_hint: "Wenn ein Käufer handelt; ein Drittel davon in jeder von drei Runden. 0 ist ein Festpreis.",
        min_trust: "Vertraut nach so vielen Geschäften",
        min_trust_hint: "Wer so viele mit dir zu Ende gebracht hat, wird sofort bestätigt, obwohl das Angebot niemanden band. Leer: Du bestätigst jede Bestellung.",
        payment: "Wie du bezahlt wirst",
        payment_hint: "Geht mit der Bestätigung hinaus: Überweisung, bar beim Abholen …",
        profile: "Wer du bist",
        profile_lead: "Sieht nur, mit wem du handelst, nachdem die Bestellung bestätigt ist.",
        name: "Name",
        phone: "Telefon",
        email: "E-Mail",
        address: "Adresse",
        instructions: "Für die Übergabe",
        instructions_hint: "Die Klingel, die Uhrzeit, die zweite Tür links …",
        trader: "Woran andere dich erkennen",
        trader_hint: "Aus deinem Schlüssel gemacht. Vertraulich gezeigt, mit einem verbindlichen Angebot oder einer Bestellung.",
        saved: "In diesem Browser gespeichert.",
        each: |unit| format!("je {unit}"),
        from_quantity: |from, price| format!("ab {from}: {price}"),
    },
    list: super::lists::DE,
    files: super::files::DE,
    handover: super::files::DE_HANDOVER,
    trades: Trades {
        heading: "Geschäfte",
        empty_heading: "Noch keine Geschäfte",
        empty: "Wenn du ein Angebot annimmst oder jemand deines, geht es hier weiter, bis ihr beide habt, was ihr braucht.",
        buying: "Du kaufst",
        selling: "Du verkaufst",
        with: "Mit",
        order_in: "Eine Bestellung für dich",
        order_heading: "Jemand hat das bei dir bestellt",
        confirm: "Bestellung bestätigen",
        refuse: "Ablehnen",
        confirm_body: "Mit der Bestätigung verpflichtest du dich zu liefern. Dann tauscht ihr eure Kontaktdaten.",
        payment: "Wie bezahlt wird",
        note: "Ein Wort an den Käufer",
        refuse_heading: "Warum nicht?",
        confirming: "Wird bestätigt …",
        timeline: "Was geschah",
        did_quote: "Angeboten",
        did_order_mine: "Du hast bestellt",
        did_order_theirs: "Der Käufer hat bestellt",
        did_confirm_mine: "Du hast bestätigt",
        did_confirm_theirs: "Der Anbieter hat bestätigt",
        did_contact_mine: "Deine Kontaktdaten sind unterwegs",
        did_contact_sent: "Deine Kontaktdaten sind angekommen",
        did_contact_theirs: "Die anderen Kontaktdaten sind angekommen",
        did_decline: |reason| format!("Nicht bestätigt: {reason}"),
        did_lapse: "Nicht rechtzeitig bestätigt",
        wait_me: "Du bist dran",
        wait_contact_mine: "Du bist dran: sag, wer und wo",
        wait_contact_theirs: "Die andere Seite muss noch sagen, wer und wo",
        wait_seller: "Der Anbieter ist dran",
        wait_buyer: "Der Käufer ist dran",
        until: |time| format!("bis {time}"),
        contact_theirs: "Wie du die andere Seite erreichst",
        contact_mine: "Was du über dich geschickt hast",
        contact_none: "Die andere Seite hat noch nichts geschickt.",
        contact_send: "Meine Kontaktdaten senden",
        contact_sent: "Gesendet, versiegelt, nur an diese Person.",
        contact_hint: "Das kann nur diese Person lesen.",
        contact_hint_all: "Zwischen dir und einer anderen Person, und niemandem sonst.",
        pay: "Bezahlung",
        order_note: "Der Käufer sagt",
        confirm_note: "Der Anbieter sagt",
        done: "Ihr habt beide, was ihr für die Übergabe braucht.",
        way: |kind| match kind {
            "phone" => Some("Telefon"),
            "email" => Some("E-Mail"),
            _ => None,
        },
        at: |time| format!("um {time}"),
        steps: "Was du getan hast",
        step_say: |step| match step {
            TradeStep::Paid => "Ich habe bezahlt",
            TradeStep::Dispatched => "Ich habe es verschickt oder übergeben",
            TradeStep::Delivered => "Ich habe es übergeben und den Code des Käufers",
            TradeStep::Received => "Ich habe es bekommen",
        },
        step_means: |step| match step {
            TradeStep::Paid => "Der Anbieter erfährt, dass du wie vereinbart bezahlt hast.",
            TradeStep::Dispatched => {
                "Der Käufer erfährt, dass es unterwegs oder in seinen Händen ist."
            }
            TradeStep::Delivered => {
                "Der Käufer sagt dir seinen Code, sobald er es in den Händen hat. Damit kannst du beweisen, dass du es ihm gegeben hast."
            }
            TradeStep::Received => {
                "Sag es, wenn du es hast und es das Bestellte ist: Damit ist das Geschäft zu Ende."
            }
        },
        step_note: "Ein Wort dazu",
        step_send: "Der anderen Seite sagen",
        step_mine: |step| match step {
            TradeStep::Paid => "Du hast bezahlt",
            TradeStep::Dispatched => "Du hast es verschickt oder übergeben",
            TradeStep::Delivered => "Du hast es übergeben und den Code des Käufers als Beweis",
            TradeStep::Received => "Du hast es bekommen",
        },
        step_theirs: |step| match step {
            TradeStep::Paid => "Der Käufer sagt: bezahlt",
            TradeStep::Dispatched => "Der Anbieter sagt: verschickt oder übergeben",
            TradeStep::Delivered => "Der Anbieter hat es übergeben und deinen Code als Beweis",
            TradeStep::Received => "Der Käufer sagt: bekommen",
        },
        step_unknown: "die andere Seite weiß es noch nicht",
        step_news: |step| match step {
            TradeStep::Paid => "Der Käufer sagt, dass er bezahlt hat.",
            TradeStep::Dispatched => "Der Anbieter sagt, dass es unterwegs ist.",
            TradeStep::Delivered => "Der Anbieter hat es übergeben und deinen Code als Beweis.",
            TradeStep::Received => "Der Käufer hat es bekommen.",
        },
        wait_dispatch_mine: "Du bist dran: verschick oder übergib es, und sag es",
        wait_dispatch_theirs: "Der Anbieter muss es noch verschicken oder übergeben",
        wait_receipt_mine: "Du bist dran: sag es, wenn du es hast",
        wait_receipt_theirs: "Der Käufer muss noch sagen, dass er es hat",
        received: "Dieses Geschäft ist zu Ende: Der Käufer hat es, und ihr habt beide die Quittung.",
    },
    money: super::money::DE,
    play: super::money::DE_PLAY,
    escrow: super::money::DE_ESCROW,
    decide: super::deciding::DE,
    tip: super::tip::DE,
    link: Link {
        connecting: "Verbinde",
        online: "Online",
        offline: "Offline",
        heading: "Verbindung",
        sum: |n| match n {
            0 => "Gerade mit keinem Relais verbunden.".into(),
            1 => "Über ein Relais verbunden.".into(),
            _ => format!("Über {n} Relais verbunden."),
        },
        others: |n| match n {
            1 => "Sie wissen von etwa einem anderen.".into(),
            _ => format!("Sie wissen von etwa {n} anderen."),
        },
        neighbours: |n| match n {
            1 => "1 Nachbar gibt mit dir Gesuche weiter.".into(),
            _ => format!("{n} Nachbarn geben mit dir Gesuche weiter."),
        },
        book: |n| match n {
            1 => "1 offenes Gesuch ist hier bekannt.".into(),
            _ => format!("{n} offene Gesuche sind hier bekannt."),
        },
        relays: "Relais",
        relays_lead: "Ein Relais macht Leute miteinander bekannt und gibt offene Gesuche weiter. Es hat kein Angebot, keine Bestellung und kein Konto, und es kann nicht lesen, was du vertraulich sagst. Jeder kann eines betreiben.",
        state: |state| match state {
            RelayState::Connecting => "wird verbunden",
            RelayState::Connected => "verbunden",
            RelayState::Reserved => "verbunden; andere erreichen dich darüber",
            RelayState::Waiting { .. } => "nicht erreicht",
            RelayState::Refused => "nimmt gerade niemanden mehr auf",
        },
        retry: |n| format!("nächster Versuch in {}", count(n, "Sekunde", "Sekunden")),
        reason: |code| match code {
            "unreachable" | "timeout" => Some("es antwortet nicht"),
            "bad-address" => Some("das ist keine Adresse eines Relais"),
            "unsupported-address" => Some("diese Art von Adresse kann ein Browser nicht nutzen"),
            "wrong-peer" => Some("unter dieser Adresse antwortet jemand anderes"),
            "denied" => Some("es lässt dich nicht hinein"),
            "reservation-refused" => {
                Some("es hat keinen Platz mehr, daher erreicht dich darüber niemand")
            }
            "closed" => Some("es hat die Verbindung beendet"),
            _ => None,
        },
        add: "Relais hinzufügen",
        add_hint: "Eine Adresse wie /dns4/relay.example/tcp/443/wss/p2p/…",
        address: "Adresse eines Relais",
        added: "Das Relais ist hinzugefügt und gemerkt.",
        removed: "Das Relais ist entfernt.",
        share: "Teilen",
        share_lead: "Wer diesen Link öffnet, wird gefragt, ob er dieses Relais auch nutzen will.",
        link: "Link",
        qr: "Derselbe Link zum Abfotografieren",
        mine: "Deine Adresse bei diesem Besuch",
        mine_hint: "Mit jedem Laden neu. Sie sagt nichts darüber, wer du bist.",
        curious: "Einzelheiten für Neugierige",
        refused: "Was nicht angenommen wurde, und warum",
        refused_none: "Bisher wurde nichts abgewiesen.",
        refusal,
        clock: |time| {
            format!(
                "Die Uhr dieses Geräts weicht um {time} von der des Relais ab. Angebote scheinen dann zu früh oder zu spät zu enden: Stell bitte die Uhr."
            )
        },
        offline_banner: "Du bist offline.",
        offline_safe: "Alles, was du siehst, ist in diesem Browser sicher. Was du jetzt tust, geht hinaus, sobald du wieder verbunden bist.",
        offer_heading: "Dieses Relais nutzen?",
        offer: "Der Link, den du geöffnet hast, nennt ein Relais. Ein Relais sieht deine Netzadresse und dass du Haggle nutzt, aber nichts, was du vertraulich sagst.",
        offer_add: "Nutzen",
        offer_not: "Lieber nicht",
        see_address: "Relais sehen deine Netzadresse.",
        no_relays: "Diese Seite kennt kein Relais. Füg eines hinzu, um andere zu erreichen.",
        hide: "Meine Netzadresse vor anderen Händlern verbergen",
        hide_hint: "Sonst gehen Angebote direkt von Browser zu Browser, und jeder sieht die Netzadresse des anderen. Verborgen gehen sie über ein Relais, weiterhin versiegelt und etwas langsamer.",
        hide_mints: "Eine Mint hinter einem Relais wird dann über eines deiner Relais gefragt: Wer sie betreibt, sieht deine Netzadresse auch nicht. Eine Mint im Web sieht sie trotzdem.",
        hide_off: "Dieser Browser stellt keine direkten Verbindungen zu anderen Händlern her; was du ihnen sagst, geht über Relais.",
        hidden_now: "Deine Netzadresse ist vor anderen Händlern verborgen.",
        shown_now: "Mit wem du handelst, der kann deine Netzadresse wieder sehen.",
        directly: |n| format!("Mit {n} Händlern direkt verbunden."),
        through_relay: |n| format!("Mit {n} Händlern über ein Relais verbunden."),
        messages_directly: |n| match n {
            1 => "1 vertrauliche Nachricht ging direkt.".into(),
            _ => format!("{n} vertrauliche Nachrichten gingen direkt."),
        },
        messages_relayed: |n| match n {
            1 => "1 vertrauliche Nachricht ging über ein Relais.".into(),
            _ => format!("{n} vertrauliche Nachrichten gingen über ein Relais."),
        },
        dial_me: "Unter dieser Adresse erreichen dich andere libp2p-Programme direkt:",
    },
    who: Who {
        heading: "Wer du hier bist",
        lead: "Jeder Name hat eigene Schlüssel, einen eigenen Stand, eigene Gesuche und Geschäfte in diesem Browser. Immer nur ein Fenster kann eine Person sein.",
        here: "In diesem Fenster",
        nameless: "Du",
        name: "Name",
        open: "Als diese Person öffnen",
        list: "In diesem Browser benutzt",
        you: |name| format!("Du bist {name}"),
        try_both: "Beide Seiten ausprobieren",
        try_lead: "Öffne ein zweites Fenster als jemand anderes, etwa Ben: hier fragen, dort antworten.",
    },
    stop: Stop {
        opening: "Öffne, was dieser Browser weiß …",
        busy_heading: "In einem anderen Fenster offen",
        busy: |name| {
            format!(
                "{name} ist schon in einem anderen Fenster oder Tab dieses Browsers offen und macht dort weiter."
            )
        },
        busy_you: "Du hast diese Seite schon in einem anderen Fenster oder Tab dieses Browsers offen, und dort geht es weiter.",
        busy_take: "Stattdessen hier weitermachen",
        busy_take_hint: "Das andere Fenster ruht dann. Nichts Bestätigtes geht verloren.",
        busy_other: "Hier jemand anderes sein",
        storage_heading: "So geht es nicht weiter",
        storage,
        stopped_heading: "Diese Seite hat angehalten",
        stopped_safe: "Was dir bestätigt wurde, ist gespeichert. Auch was du gerade schreibst, bleibt, solange dieses Fenster offen ist.",
        reload: "Neu laden",
        code: |code| format!("Für eine Meldung: {code}"),
        no_relays_file: "Die Liste der Relais zu dieser Seite konnte nicht gelesen werden; du kannst eines von Hand hinzufügen.",
    },
};

/// After `innerhalb von` days stand in the dative; the other spans look the same.
fn dative(time: &str) -> String {
    if time.ends_with("Tage") {
        format!("{time}n")
    } else {
        time.to_owned()
    }
}

fn reason(reason: &Reason, amount: Amount<'_>) -> String {
    let quality = |quality: Quality| (WORDS.word.quality)(quality).to_lowercase();
    match reason {
        Reason::Only => "Bisher das einzige Angebot.".into(),
        Reason::Cheapest => "Die niedrigste Summe.".into(),
        Reason::DearerBy { by } => format!("{} mehr als das billigste.", amount(*by)),
        Reason::BestQuality { quality: own } => format!("Die beste Qualität: {}.", quality(*own)),
        Reason::BetterThanCheapest {
            quality: own,
            cheapest,
        } => format!(
            "Besser als das billigste: {} statt {}.",
            quality(*own),
            quality(*cheapest)
        ),
        Reason::SoonerThanCheapest { seconds } => {
            let time = duration(&WORDS, u64::from(*seconds));
            format!("{time} früher als das billigste.")
        }
        Reason::LesserQuality { quality: own, best } => format!(
            "Nicht so gut wie das beste: {} statt {}.",
            quality(*own),
            quality(*best)
        ),
        Reason::Fastest { lead_time } => {
            let time = duration(&WORDS, u64::from(*lead_time));
            format!("Zuerst da, innerhalb von {}.", dative(&time))
        }
        Reason::SlowerBy { seconds } => {
            let time = duration(&WORDS, u64::from(*seconds));
            format!("{time} später als das schnellste.")
        }
        Reason::AllWishes => "Hat alles, was du dir wünschst.".into(),
        Reason::MissesWishes { count: 1 } => {
            "Ein Wunsch ist nicht erfüllt oder nicht angegeben.".into()
        }
        Reason::MissesWishes { count } => {
            format!("{count} Wünsche sind nicht erfüllt oder nicht angegeben.")
        }
        Reason::OverLimit { by } => format!("{} über deiner Grenze.", amount(*by)),
        Reason::Firm => "Verbindlich und für dich zurückgelegt.".into(),
        Reason::NotStanding => "Kann nicht mehr angenommen werden.".into(),
    }
}

/// Why this profile cannot be opened or kept, by the store's code.
fn storage(code: &str) -> Option<S> {
    Some(match code {
        "store-full" => {
            "Es ist kein Platz mehr zum Speichern, darum wurde das Letzte nicht gespeichert. Mach Platz frei und lade neu."
        }
        "store-unavailable" => {
            "Hier kann nichts gespeichert werden. Nimm ein normales Fenster und eine https-Adresse."
        }
        "store-damaged" => {
            "Was unter diesem Namen gespeichert wurde, ist beschädigt. Nichts wurde verändert. Nimm einen anderen Namen, um weiterzumachen."
        }
        "store-newer" => {
            "Dieser Name wurde zuletzt von einer neueren Version gespeichert. Lade die Seite neu."
        }
        "store-closed" => {
            "Der Speicher wurde geschlossen: gelöscht, anderswo übernommen oder gescheitert. Lade neu, um weiterzumachen."
        }
        "store-failed" => {
            "Lesen oder Speichern ist gescheitert. Lade neu und sieh nach, was da ist, bevor du weitermachst."
        }
        "store-profile" => "Ein Name hat 1 bis 64 Zeichen. Wähle einen anderen.",
        _ => return None,
    })
}

fn refusal(code: &str) -> S {
    match code {
        "too-large" | "truncated" | "not-canonical" | "bad-field" | "bad-text"
        | "missing-field" | "bad-padding" | "cell-size" => "schlecht geformt",
        "unknown-field" | "unknown-version" | "unknown-kind" | "unknown-message" => {
            "in einer Form, die eine neuere Version kennt"
        }
        "other-network" => "von einem anderen Markt",
        "expired" | "too-late" => "zu spät",
        "from-the-future" => "von einer Uhr, die vorgeht",
        "lives-too-long" => "wollte zu lange bleiben",
        "no-work" | "too-little-work" => "ohne die Rechenarbeit, die Müll fernhält",
        "bad-key" | "bad-signature" | "bad-reach" | "wrong-sender" | "no-intent-proof"
        | "bad-trader-proof" => "mit einer Unterschrift, die nicht passt",
        "duplicate" | "older-revision" | "replayed" => "schon bekannt",
        "wrong-intent" | "wrong-thread" | "wrong-recipient" | "wrong-direction"
        | "unknown-recipient" | "unknown-revision" => "nicht für dich, oder zu etwas anderem",
        "closed" => "zu etwas, das vorbei ist",
        "author-rate" | "source-rate" | "whisper-rate" | "too-many-quotes" => "zu viele auf einmal",
        "book-full" => "kein Platz für mehr",
        "blocked" => "von dir gesperrt",
        "seal-broken" => "mit gebrochenem Siegel",
        "no-trader" => "von niemandem, der sich zeigt",
        "wrong-sum" | "wrong-unit" => "mit Summen oder Einheiten, die nicht passen",
        "wrong-state" => "nicht das, was jetzt dran ist",
        "not-kept" => "konnte nicht aufgehoben werden",
        _ => "aus einem anderen Grund",
    }
}
