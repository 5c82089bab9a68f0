//! Money: what the page says about purses, mints and locked money, in each language.

use haggle_protocol::Side;

use super::{EscrowWords, MoneyWords, PlayWords};
use crate::board::Caution;
use crate::node::{EscrowState, Role, Why};

/// English.
pub(super) const EN: MoneyWords = MoneyWords {
    open: "Money",
    heading: "Money",
    lead: "Ecash, for paying and being paid through escrow. You need none of it if you pay each other directly.",
    custodian: "A mint keeps this money for you, like a coat check keeps a coat. It can refuse you, vanish, or be forced to stop, and then the money is gone. On the web it sees your network address, even if you hide it from other traders. Keep only as much here as you need for a trade.",
    purses: "In your purses",
    purses_none: "Nothing yet. Name a mint that you trust, then fill a purse there.",
    held: |amount| format!("and {amount} on its way"),
    mints: "Mints you trust",
    mints_lead: "Nothing is ever asked of a mint that is not in this list. The one you trade with has to name the same mint.",
    mint: "Address of a mint",
    mint_hint: "For example https://mint.example. Ask the one you want to trade with which mint he takes.",
    mint_add: "Trust this mint",
    mint_added: "Added. Now you can fill a purse there.",
    mint_remove: |mint| format!("Trust {mint} no more"),
    mint_removed: "Removed. What it keeps for you is shown again once you trust it again.",
    mint_sees: "Sees your network address.",
    mint_blind: "Asked through one of your relays, so that it does not see your network address, unless it is itself a relay of yours.",
    at: "At which mint",
    purse: "Out of which purse",
    amount: "How much",
    currency: "Currency",
    fill: "Fill a purse",
    fill_lead: "The mint says what to pay, usually a Lightning invoice. Once it is paid, the money comes by itself.",
    fill_do: "Ask the mint",
    fill_pay: |amount| format!("Pay this to get {amount} into your purse"),
    fill_until: |time| format!("Until {time}."),
    fill_wait: "You can go on meanwhile: it comes by itself.",
    take: "Take ecash that came as text",
    take_text: "The text",
    take_hint: "It begins with “cashu”. Whoever takes it first has it.",
    take_do: "Take it",
    give: "Give ecash as text",
    give_lead: "The text is the money, like a banknote: send it to one person only, and in private.",
    give_do: "Make the text",
    give_copy: "Copy the text",
    given: "Given away and not taken yet",
    give_back: "Take it back",
    pay_out: "Pay an invoice",
    invoice: "The invoice",
    invoice_hint: "A Lightning invoice in the currency of the purse. The mint and the network may take a little for it.",
    pay_do: "Pay it",
    paid: |amount, cost| format!("{amount} paid; it cost {cost} beside that."),
    find: "Find what your words bring back",
    find_lead: "If you came back with your words alone, ask each mint what it remembers of you.",
    find_do: "Ask the mint",
    found: |amount| format!("{amount} found."),
    came: |amount| format!("{amount} came into your purse."),
    qr: "The same text to scan with a camera",
    too_long: "The text is too long for one QR code: copy it.",
    history: "What has moved",
    history_why: |why| match why {
        Why::Deposit => "Filled by a deposit",
        Why::Withdrawal => "Invoice paid",
        Why::Given => "Given away as text",
        Why::Taken => "Taken from a text",
        Why::TakenBack => "Own text taken back",
        Why::Locked => "Locked in escrow",
        Why::Unlocked => "Not locked after all",
        Why::Paid => "Paid to you out of escrow",
        Why::Returned => "Back out of escrow",
        Why::Refunded => "Back after the deadline",
        Why::Decided => "For deciding",
        Why::Found => "Found by your words",
        Why::Elsewhere => "Spent on another device, or since your backup",
        Why::Other => "Exchanged by the wallet",
        Why::Earlier => "All before that, in one sum",
    },
    history_older: |count| match count {
        1 => "1 older one".to_owned(),
        _ => format!("{count} older ones"),
    },
    history_cost: |cost| format!("costs of {cost} included"),
    history_open: "still under way",
};

/// German.
pub(super) const DE: MoneyWords = MoneyWords {
    open: "Geld",
    heading: "Geld",
    lead: "E-Cash, um über Treuhand zu zahlen und bezahlt zu werden. Wer einander direkt bezahlt, braucht nichts davon.",
    custodian: "Eine Mint verwahrt dieses Geld für dich, wie eine Garderobe einen Mantel. Sie kann dich abweisen, verschwinden oder stillgelegt werden, und dann ist das Geld weg. Im Web sieht sie deine Netzadresse, auch wenn du sie vor anderen Händlern verbirgst. Lass hier nur, was du für einen Handel brauchst.",
    purses: "In deinen Börsen",
    purses_none: "Noch nichts. Nenn eine Mint, der du traust, und füll dort eine Börse.",
    held: |amount| format!("und {amount} unterwegs"),
    mints: "Mints, denen du traust",
    mints_lead: "Eine Mint, die hier nicht steht, wird nie etwas gefragt. Wer mit dir handelt, muss dieselbe Mint nennen.",
    mint: "Adresse einer Mint",
    mint_hint: "Zum Beispiel https://mint.example. Frag den, mit dem du handeln willst, welche Mint er nimmt.",
    mint_add: "Dieser Mint trauen",
    mint_added: "Hinzugefügt. Jetzt kannst du dort eine Börse füllen.",
    mint_remove: |mint| format!("{mint} nicht mehr trauen"),
    mint_removed: "Entfernt. Was sie für dich verwahrt, ist wieder da, sobald du ihr wieder traust.",
    mint_sees: "Sieht deine Netzadresse.",
    mint_blind: "Wird über eines deiner Relais gefragt und sieht deine Netzadresse nicht, es sei denn, sie ist selbst ein Relais von dir.",
    at: "Bei welcher Mint",
    purse: "Aus welcher Börse",
    amount: "Wie viel",
    currency: "Währung",
    fill: "Eine Börse füllen",
    fill_lead: "Die Mint sagt, was zu zahlen ist, meist eine Lightning-Rechnung. Ist sie bezahlt, kommt das Geld von selbst.",
    fill_do: "Die Mint fragen",
    fill_pay: |amount| format!("Bezahl das, um {amount} in deine Börse zu bekommen"),
    fill_until: |time| format!("Bis {time}."),
    fill_wait: "Du kannst inzwischen weitermachen: Es kommt von selbst.",
    take: "E-Cash annehmen, das als Text kam",
    take_text: "Der Text",
    take_hint: "Er beginnt mit „cashu“. Wer ihn zuerst annimmt, hat das Geld.",
    take_do: "Annehmen",
    give: "E-Cash als Text hergeben",
    give_lead: "Der Text ist das Geld, wie ein Geldschein: Schick ihn nur einem Menschen, und vertraulich.",
    give_do: "Den Text machen",
    give_copy: "Den Text kopieren",
    given: "Hergegeben und noch nicht angenommen",
    give_back: "Zurücknehmen",
    pay_out: "Eine Rechnung bezahlen",
    invoice: "Die Rechnung",
    invoice_hint: "Eine Lightning-Rechnung in der Währung der Börse. Mint und Netz nehmen vielleicht etwas dafür.",
    pay_do: "Bezahlen",
    paid: |amount, cost| format!("{amount} bezahlt; dazu kamen {cost} an Kosten."),
    find: "Finden, was deine Wörter zurückbringen",
    find_lead: "Wenn du nur mit deinen Wörtern zurückgekommen bist, frag jede Mint, was sie von dir noch weiß.",
    find_do: "Die Mint fragen",
    found: |amount| format!("{amount} gefunden."),
    came: |amount| format!("{amount} kamen in deine Börse."),
    qr: "Derselbe Text für eine Kamera",
    too_long: "Der Text ist zu lang für einen QR-Code: Kopiere ihn.",
    history: "Was sich bewegt hat",
    history_why: |why| match why {
        Why::Deposit => "Durch eine Einzahlung gefüllt",
        Why::Withdrawal => "Rechnung bezahlt",
        Why::Given => "Als Text hergegeben",
        Why::Taken => "Als Text angenommen",
        Why::TakenBack => "Eigenen Text zurückgenommen",
        Why::Locked => "In Treuhand gesperrt",
        Why::Unlocked => "Doch nicht gesperrt",
        Why::Paid => "Aus der Treuhand an dich",
        Why::Returned => "Aus der Treuhand zurück",
        Why::Refunded => "Nach Ablauf der Frist zurück",
        Why::Decided => "Fürs Entscheiden",
        Why::Found => "Durch deine Wörter gefunden",
        Why::Elsewhere => "Auf einem anderen Gerät oder seit der Sicherung ausgegeben",
        Why::Other => "Von der Börse umgetauscht",
        Why::Earlier => "Alles davor, in einer Summe",
    },
    history_older: |count| match count {
        1 => "1 älterer Eintrag".to_owned(),
        _ => format!("{count} ältere Einträge"),
    },
    history_cost: |cost| format!("darin {cost} Kosten"),
    history_open: "noch nicht zu Ende",
};

/// English.
pub(super) const EN_PLAY: PlayWords = PlayWords {
    label: "play money",
    warning: "Play money: it is worth nothing and buys nothing.",
    open: "To your play money",
    offer: "Try it with play money: it stands for nothing",
    offer_do: "Name the play mint",
    takes_do: "Take play money",
    name: |mint| format!("{mint} (play money)"),
    amount: |amount| format!("{amount} of play money"),
    fill: "Its mint takes every invoice for paid: nobody pays anything for it.",
    came: |amount| format!("Nothing has to be paid: {amount} comes into your purse by itself"),
    invoice: "Play money pays nobody: its mint only says that it has paid.",
};

/// English.
pub(super) const EN_ESCROW: EscrowWords = EscrowWords {
    heading: "Money in escrow",
    state: |state, me| match (state, me) {
        (EscrowState::Planned, Role::Buyer) => "It is locked once the order is confirmed.",
        (EscrowState::Planned, Role::Seller) => {
            "Not locked yet. Do not send anything before it is."
        }
        (EscrowState::Locking, Role::Buyer) => "It is being locked.",
        (EscrowState::Locking, Role::Seller) => {
            "The buyer says it is locked; that is being checked."
        }
        (EscrowState::Locked, _) => "Locked.",
        (EscrowState::Released, Role::Buyer) => "The seller has it.",
        (EscrowState::Released, Role::Seller) => "It is yours.",
        (EscrowState::Refunded, Role::Buyer) => "You have it back.",
        (EscrowState::Refunded, Role::Seller) => "The buyer has it back.",
        (EscrowState::Shared { .. }, _) => "It was shared out.",
    },
    kept_by: |mint| format!("kept by {mint}"),
    next: |holder, me, time| match (holder, me) {
        (Side::Buyer, Role::Buyer) => {
            format!("If the seller has not sent it by {time}, it comes back to you.")
        }
        (Side::Buyer, Role::Seller) => format!(
            "It is yours once the buyer says that he has it. If you do not send it in good time, it goes back to him at {time}."
        ),
        (Side::Seller, Role::Buyer) => format!(
            "The seller has said that he sent it. Say that you have it, or propose to share it out: at {time} it is his."
        ),
        (Side::Seller, Role::Seller) => {
            format!("It is yours once the buyer says that he has it, and at {time} in any case.")
        }
    },
    alone: "Before that it takes both of you to move it; the mint cannot judge who is right.",
    alone_of_three: "Before that it takes two of the three of you to move it: both of you, or one of you and the arbiter.",
    trouble: |code| match code {
        "unknown" => {
            "The mint does not answer. It is asked again by itself; nothing is lost meanwhile."
        }
        "not-enough" => "There is too little in your purse. Fill it, then try again.",
        "not-trusted" => "You do not trust this mint. Trust it, then try again.",
        "unsupported" => "This way of paying is not set up here.",
        "not-saved" => "There is no room to save it on this device. Make some, then try again.",
        "refused" => "The mint says no. It is asked again by itself.",
        "lock-amount" => "What the buyer has locked is too little. Do not send anything.",
        "lock-capability" => "This mint does not keep to locks. Do not send anything.",
        "lock-expires" => "The mint’s keys end too soon. Choose another mint.",
        "lock-purse" | "lock-conditions" => {
            "What the buyer has locked is not what you agreed on. Do not send anything."
        }
        "spent" => "That money has been moved already.",
        _ => "The mint did not do what it was asked.",
    },
    again: "Try again now",
    fill: "To your money",
    came: |amount| format!("{amount} came to you."),
    shared: |buyer, seller| format!("{buyer} to the buyer, {seller} to the seller."),
    share: "Share it out",
    share_lead: "If you do not agree on what was delivered, propose what each of you gets. It counts once the other side agrees.",
    share_buyer: "To the buyer",
    share_hint: |amount| format!("Of {amount}; the seller gets the rest."),
    share_do: "Propose this",
    share_done: "Proposed. It counts once the other side agrees.",
    offer_mine: |buyer, seller| {
        format!("You propose {buyer} for the buyer and {seller} for the seller.")
    },
    offer_theirs: |buyer, seller| {
        format!("The other side proposes {buyer} for the buyer and {seller} for the seller.")
    },
    agree: "I agree to this",
    agreed: "Agreed. The money is being shared out.",
    paid_mine: "You locked the money",
    paid_theirs: "The buyer says: the money is locked",
    how: "How you pay",
    direct: "As the two of you agree",
    direct_means: "Cash, bank transfer, or whatever the seller asks for. No escrow: nobody holds the money until you have it.",
    through: "Through escrow",
    through_means: |mint| format!("Kept by {mint} until you have what you ordered."),
    plan: |amount| {
        format!("{amount} leaves your purse and is locked as soon as the seller confirms.")
    },
    plan_send: "It comes back to you if he does not send it in time.",
    plan_review: |time| format!("Once he has sent it, you have {time} to object. Then it is his."),
    plan_have: "Once you say that you have it, it is his.",
    trust: |mint| format!("I trust {mint} with this sum"),
    trust_hint: "It keeps the money for both of you. If it vanishes, the money is gone.",
    purse: |amount| format!("Your purse there holds {amount}."),
    short: "That is not enough. You can order all the same, but the seller waits until you have filled it.",
    rate: "How much of it you pay",
    rate_hint: |price| {
        format!(
            "The quote is {price}. By ordering and confirming, the two of you agree on this rate."
        )
    },
    ordered: |amount, mint| format!("The buyer pays {amount} through escrow, kept by {mint}."),
    ordered_rate: "That is another currency than your quote’s: look whether the rate suits you.",
    ordered_send: |time| {
        format!(
            "Send it only once the money is locked, and by {time}: then it goes back to the buyer."
        )
    },
    takes: "Escrow that you take",
    takes_lead: "Buyers can lock the price at one of these mints until they have what they ordered. You and the buyer both trust the mint with it. Your quotes name them.",
    takes_add: "Take another one",
    takes_remove: |mint| format!("Take {mint} no more"),
    payable: |mint| format!("Can be paid through escrow at {mint}"),
    caution: |caution| match caution {
        Caution::Unnamed => {
            "The seller has not shown who he is. Pay only what you could do without, or through escrow."
        }
        Caution::First => {
            "You have finished no trade with this seller yet. Begin with something small, or pay through escrow."
        }
        Caution::Largest => {
            "This is more than you have ever finished a trade for in this currency. Look twice."
        }
    },
};

/// German.
pub(super) const DE_PLAY: PlayWords = PlayWords {
    label: "Spielgeld",
    warning: "Spielgeld: Es ist nichts wert und kauft nichts.",
    open: "Zu deinem Spielgeld",
    offer: "Probier es mit Spielgeld: Es steht für nichts",
    offer_do: "Die Spielgeld-Mint nennen",
    takes_do: "Spielgeld nehmen",
    name: |mint| format!("{mint} (Spielgeld)"),
    amount: |amount| format!("{amount} Spielgeld"),
    fill: "Seine Mint hält jede Rechnung für bezahlt: Niemand zahlt etwas dafür.",
    came: |amount| format!("Zu zahlen ist nichts: {amount} kommen von selbst in deine Börse"),
    invoice: "Spielgeld bezahlt niemanden: Seine Mint sagt nur, sie habe bezahlt.",
};

/// German.
pub(super) const DE_ESCROW: EscrowWords = EscrowWords {
    heading: "Geld in Treuhand",
    state: |state, me| match (state, me) {
        (EscrowState::Planned, Role::Buyer) => {
            "Es wird gesperrt, sobald die Bestellung bestätigt ist."
        }
        (EscrowState::Planned, Role::Seller) => "Noch nicht gesperrt. Schick vorher nichts los.",
        (EscrowState::Locking, Role::Buyer) => "Es wird gerade gesperrt.",
        (EscrowState::Locking, Role::Seller) => {
            "Der Käufer sagt, es ist gesperrt; das wird gerade geprüft."
        }
        (EscrowState::Locked, _) => "Gesperrt.",
        (EscrowState::Released, Role::Buyer) => "Der Verkäufer hat es.",
        (EscrowState::Released, Role::Seller) => "Es gehört dir.",
        (EscrowState::Refunded, Role::Buyer) => "Du hast es zurück.",
        (EscrowState::Refunded, Role::Seller) => "Der Käufer hat es zurück.",
        (EscrowState::Shared { .. }, _) => "Es wurde aufgeteilt.",
    },
    kept_by: |mint| format!("verwahrt von {mint}"),
    next: |holder, me, time| match (holder, me) {
        (Side::Buyer, Role::Buyer) => {
            format!("Hat der Verkäufer bis {time} nichts losgeschickt, kommt es zu dir zurück.")
        }
        (Side::Buyer, Role::Seller) => format!(
            "Es gehört dir, sobald der Käufer sagt, dass er die Ware hat. Schickst du sie nicht rechtzeitig los, geht es am {time} an ihn zurück."
        ),
        (Side::Seller, Role::Buyer) => format!(
            "Der Verkäufer sagt, dass er es losgeschickt hat. Sag, dass du es hast, oder schlag vor, wie geteilt wird: Ab {time} gehört es ihm."
        ),
        (Side::Seller, Role::Seller) => format!(
            "Es gehört dir, sobald der Käufer sagt, dass er die Ware hat, und ab {time} auf jeden Fall."
        ),
    },
    alone: "Vorher könnt ihr es nur zu zweit bewegen; wer recht hat, kann die Mint nicht beurteilen.",
    alone_of_three: "Vorher können es nur zwei von euch dreien bewegen: ihr beide, oder einer von euch mit dem Schiedsrichter.",
    trouble: |code| match code {
        "unknown" => {
            "Die Mint antwortet nicht. Sie wird von selbst wieder gefragt; inzwischen geht nichts verloren."
        }
        "not-enough" => "In deiner Börse ist zu wenig. Füll sie und versuch es wieder.",
        "not-trusted" => "Du traust dieser Mint nicht. Vertrau ihr und versuch es wieder.",
        "unsupported" => "Diese Art zu zahlen ist hier nicht eingerichtet.",
        "not-saved" => {
            "Auf diesem Gerät ist kein Platz, es zu speichern. Schaff welchen und versuch es wieder."
        }
        "refused" => "Die Mint sagt nein. Sie wird von selbst wieder gefragt.",
        "lock-amount" => "Was der Käufer gesperrt hat, ist zu wenig. Schick nichts los.",
        "lock-capability" => "Diese Mint hält sich nicht an Sperren. Schick nichts los.",
        "lock-expires" => "Die Schlüssel der Mint enden zu bald. Wähl eine andere Mint.",
        "lock-purse" | "lock-conditions" => {
            "Was der Käufer gesperrt hat, ist nicht, was ihr vereinbart habt. Schick nichts los."
        }
        "spent" => "Dieses Geld wurde schon bewegt.",
        _ => "Die Mint hat nicht getan, worum sie gebeten wurde.",
    },
    again: "Jetzt noch einmal versuchen",
    fill: "Zu deinem Geld",
    came: |amount| format!("{amount} kamen zu dir."),
    shared: |buyer, seller| format!("{buyer} an den Käufer, {seller} an den Verkäufer."),
    share: "Aufteilen",
    share_lead: "Seid ihr uneins, was geliefert wurde, schlag vor, was jeder bekommt. Es gilt, sobald die andere Seite zustimmt.",
    share_buyer: "An den Käufer",
    share_hint: |amount| format!("Von {amount}; den Rest bekommt der Verkäufer."),
    share_do: "Das vorschlagen",
    share_done: "Vorgeschlagen. Es gilt, sobald die andere Seite zustimmt.",
    offer_mine: |buyer, seller| {
        format!("Du schlägst {buyer} für den Käufer und {seller} für den Verkäufer vor.")
    },
    offer_theirs: |buyer, seller| {
        format!(
            "Die andere Seite schlägt {buyer} für den Käufer und {seller} für den Verkäufer vor."
        )
    },
    agree: "Ich stimme zu",
    agreed: "Abgemacht. Das Geld wird aufgeteilt.",
    paid_mine: "Du hast das Geld gesperrt",
    paid_theirs: "Der Käufer sagt: Das Geld ist gesperrt",
    how: "Wie du zahlst",
    direct: "Wie ihr beide es ausmacht",
    direct_means: "Bar, per Überweisung, oder was der Verkäufer verlangt. Ohne Treuhand: Niemand hält das Geld, bis du die Ware hast.",
    through: "Über Treuhand",
    through_means: |mint| format!("Verwahrt von {mint}, bis du hast, was du bestellt hast."),
    plan: |amount| {
        format!(
            "{amount} verlassen deine Börse und werden gesperrt, sobald der Verkäufer bestätigt."
        )
    },
    plan_send: "Schickt er es nicht rechtzeitig los, kommt das Geld zu dir zurück.",
    plan_review: |time| {
        format!(
            "Hat er es losgeschickt, kannst du {time} lang widersprechen. Danach gehört es ihm."
        )
    },
    plan_have: "Sobald du sagst, dass du die Ware hast, gehört es ihm.",
    trust: |mint| format!("Ich vertraue {mint} diese Summe an"),
    trust_hint: "Sie verwahrt das Geld für euch beide. Verschwindet sie, ist das Geld weg.",
    purse: |amount| format!("In deiner Börse dort sind {amount}."),
    short: "Das reicht nicht. Bestellen kannst du trotzdem, aber der Verkäufer wartet, bis du sie gefüllt hast.",
    rate: "Wie viel davon du zahlst",
    rate_hint: |price| {
        format!(
            "Das Angebot lautet auf {price}. Mit Bestellung und Bestätigung einigt ihr euch auf diesen Kurs."
        )
    },
    ordered: |amount, mint| {
        format!("Der Käufer zahlt {amount} über Treuhand, verwahrt von {mint}.")
    },
    ordered_rate: "Das ist eine andere Währung als die deines Angebots: Sieh nach, ob dir der Kurs passt.",
    ordered_send: |time| {
        format!(
            "Schick es erst los, wenn das Geld gesperrt ist, und vor {time}: Dann geht es an den Käufer zurück."
        )
    },
    takes: "Treuhand, die du nimmst",
    takes_lead: "Käufer können den Preis bei einer dieser Mints sperren, bis sie haben, was sie bestellt haben. Du und der Käufer, ihr vertraut es beide der Mint an. Deine Angebote nennen sie.",
    takes_add: "Noch eine nehmen",
    takes_remove: |mint| format!("{mint} nicht mehr nehmen"),
    payable: |mint| format!("Über Treuhand zahlbar bei {mint}"),
    caution: |caution| match caution {
        Caution::Unnamed => {
            "Der Verkäufer hat nicht gezeigt, wer er ist. Zahl nur, was du entbehren kannst, oder über Treuhand."
        }
        Caution::First => {
            "Du hast mit diesem Verkäufer noch kein Geschäft zu Ende gebracht. Fang klein an, oder zahl über Treuhand."
        }
        Caution::Largest => {
            "Das ist mehr, als du in dieser Währung je in einem Geschäft gezahlt oder bekommen hast. Sieh zweimal hin."
        }
    },
};
