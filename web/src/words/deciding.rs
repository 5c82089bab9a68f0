//! A third who decides: what the page says to him and to the two who chose him, in each language.

use haggle_protocol::Side;

use super::DecideWords;
use crate::board::Ruler;
use crate::node::{CaseState, DisputeState};

/// English.
pub(super) const EN: DecideWords = DecideWords {
    open: "Decide for others",
    heading: "Decide for others",
    lead: "Two who trade can choose you in advance to say who gets what is locked, if they do not agree.",
    duty: "Whoever chooses you gives you one of three keys to the money. With either of them you can move it, alone you never can. Look at what both say, answer in the time that you promise, and do not decide where you know one of them.",
    offer: "Offer to decide",
    title: "What you call yourself",
    title_hint: "One line: of what you know something.",
    title_example: "Bicycle mechanic: I decide about bicycles",
    details: "How you decide",
    details_hint: "What you look at, and what you want to see from both.",
    fee: "What you take if you decide, in %",
    fee_hint: "Of what is locked, at most 10. Nothing if they agree without you.",
    within: "How long you need at most",
    within_hint: "From an hour to thirty days. An order that names you leaves that much time.",
    offer_do: "Offer it",
    offering: "Offering …",
    offered: "Offered. Sellers can name you from now on. Keep this page open often: who cannot reach you cannot ask you.",
    four: "Whoever wants you to decide knows you by this picture and these four words, by both together: either can be imitated. Tell them to people in another way too, so that nobody passes himself off as you.",
    terms: |fee, time| format!("Takes {fee} if he decides, and needs {time} at most."),
    terms_free: |time| format!("Takes nothing, and needs {time} at most."),
    until: |time| format!("Open until {time}. Only until then can those who chose you ask you."),
    over: "Over. Those who chose you before cannot ask you any more.",
    longer: "Open for thirty days from now",
    offered_longer: "It is open for thirty days from now.",
    stop: "Offer it no more",
    stopping: "It will be taken back. Those who chose you can then not ask you any more.",
    cases: "What you were asked",
    cases_none: "Nobody has asked you. That is good news for those who chose you.",
    state: |state| match state {
        CaseState::Looking => {
            "It is being looked whether the money is there. Wait before you decide."
        }
        CaseState::Open => "The money is locked. It is for you to decide.",
        CaseState::Signing => "You have decided; it is being signed.",
        CaseState::Ruled => "You have decided.",
        CaseState::Gone => {
            "The money is not there: it went another way, or was never locked. There is nothing to decide."
        }
        CaseState::Missed => "You did not decide in time: the money went to whoever held it.",
    },
    unasked: "First say whether this mint may be asked.",
    rule_by: |time| format!("You have promised to decide by {time}."),
    deadline: |holder, time| match holder {
        Side::Buyer => format!("If nobody decides, the buyer has it back at {time}."),
        Side::Seller => format!("If nobody decides, it is the seller’s at {time}."),
    },
    fee_of: |fee| format!("You take {fee} of it if you decide."),
    claim: |side, amount| match side {
        Side::Buyer => format!("The buyer wants {amount} back."),
        Side::Seller => format!("The seller would give {amount} back to the buyer."),
    },
    told: "He has your decision.",
    not_told: "He does not have your decision yet.",
    not_taken: "He does not take your decision: to him it is not about this money, or came too late.",
    rule: "Decide",
    rule_lead: "Ask both first, if you can. What you decide cannot be taken back.",
    rule_buyer: "To the buyer",
    rule_hint: |shared| format!("Of {shared}; the seller gets the rest."),
    rule_words: "Why",
    rule_words_hint: "Whoever has asked you reads it.",
    rule_do: "Decide so",
    rule_done: "Decided. It is carried out once one of them hears of it.",
    renew: "Only say that it was sent",
    renew_lead: |time| {
        format!(
            "For a seller who has sent it to a buyer who does not say so. The seller holds the money from then on, and it is his unless the buyer objects within {time}; whoever disagrees may ask you once more. You take nothing for that."
        )
    },
    renew_do: "It counts as sent",
    held: |by, time| match by {
        Ruler::Me => format!(
            "You have decided that it counts as sent: the money is the seller’s at {time}, unless the buyer objects."
        ),
        Ruler::Arbiter => format!(
            "The arbiter has decided that it counts as sent: the money is the seller’s at {time}, unless the buyer objects."
        ),
        Ruler::Said => format!(
            "The other side says that the arbiter has decided that it counts as sent, and that the money is the seller’s at {time} unless the buyer objects. The mint is being asked."
        ),
    },
    earned: |amount| format!("{amount} came to you."),
    trust: |mint| format!("Ask {mint}"),
    trust_lead: |mint| {
        format!(
            "The money lies at {mint}, which you have not named as one you trust. To look whether it is there, it has to be asked; it then sees your network address."
        )
    },
    news_case: "Somebody asks you to decide.",
    who: "Who decides if you do not agree",
    nobody: "Nobody",
    nobody_means: "Then only the two of you together can move the money before its deadline.",
    absent: |count| match count {
        1 => "The seller names one more, who has not been heard of just now.".to_owned(),
        _ => format!("The seller names {count} more, who have not been heard of just now."),
    },
    careful: "Take one whom you both trust, and look at picture and words, not at what he calls himself: with either of you he can move the money. If he is asked, he learns who you both are, and can see where you are to be found while you look for each other.",
    chosen: |who| format!("If you do not agree, “{who}” decides."),
    chosen_unknown: "If you do not agree, the arbiter decides whom you both chose. He has not been heard of just now.",
    has_decided: |who| format!("“{who}” has decided."),
    has_decided_unknown: "The arbiter whom you both chose has decided.",
    ask: "Ask the arbiter to decide",
    ask_lead: "Write to the other side first: most of it is settled there. The arbiter is shown the order and its confirmation, and what you write to him; no other message between the two of you. He learns who you both are, and can see where you are to be found while you look for each other.",
    ask_buyer: "What the buyer should get",
    ask_hint: |shared| format!("Of {shared}; the seller gets the rest."),
    ask_fee: |fee| format!("The arbiter takes {fee} if he decides."),
    ask_words: "What happened",
    ask_do: "Ask him",
    ask_done: "Asked. Write to him below if there is more to say.",
    asked: |amount| format!("You have asked the arbiter for {amount} to the buyer."),
    asked_state: |state| match state {
        DisputeState::Sending => "On its way to him: he has to be there to get it.",
        DisputeState::Delivered => "He has it.",
        DisputeState::Refused(code) if code == "whisper-rate" => {
            "He has too much before him just now. Ask again later."
        }
        DisputeState::Refused(_) => "He does not take it. Settle it with the other side.",
        DisputeState::Lost => "He was not found in time. Ask again while there is time.",
    },
    ask_by: |time| format!("You can ask the arbiter until {time}."),
    ask_late: "It is too late to ask the arbiter: he could not decide before the money goes to whoever holds it.",
    talk: "What you write to him here he takes for evidence.",
    ruling: |by, buyer, seller| match by {
        Ruler::Me => {
            format!("You have decided: {buyer} to the buyer, {seller} to the seller.")
        }
        Ruler::Arbiter => {
            format!("The arbiter has decided: {buyer} to the buyer, {seller} to the seller.")
        }
        Ruler::Said => format!(
            "The other side says that the arbiter has decided: {buyer} to the buyer, {seller} to the seller. The mint is being asked."
        ),
    },
    ruling_fee: |by, fee| match by {
        Ruler::Me => format!("You take {fee}."),
        Ruler::Arbiter | Ruler::Said => format!("He takes {fee}."),
    },
    ruling_words: |by| match by {
        Ruler::Me => "You have said why",
        Ruler::Arbiter | Ruler::Said => "The arbiter says why",
    },
    news_ruled: "The arbiter has decided.",
    takes: "Who may decide if a buyer and you do not agree",
    takes_lead: "Your quotes name them, and the buyer chooses one or none. Take only those whom you know: one of them and the buyer can move the money without you.",
    takes_none: "Nobody who decides for others has been heard of yet.",
    takes_add: |who| format!("Take “{who}”"),
    takes_remove: |who| format!("Take “{who}” no more"),
    takes_away: "not heard of just now",
    takes_full: "Four are as many as a quote can name.",
    arbiter: "The arbiter",
    write_arbiter: "Write to the arbiter",
    trader: "Somebody",
    write_trader: "Answer",
    questions: "Questions to you",
    side: |side| match side {
        Side::Buyer => "Buyer",
        Side::Seller => "Seller",
    },
};

/// German.
pub(super) const DE: DecideWords = DecideWords {
    open: "Für andere entscheiden",
    heading: "Für andere entscheiden",
    lead: "Zwei, die miteinander handeln, können dich im Voraus wählen, damit du sagst, wer bekommt, was gesperrt ist, falls sie sich nicht einigen.",
    duty: "Wer dich wählt, gibt dir einen von drei Schlüsseln zum Geld. Mit jedem der beiden kannst du es bewegen, allein nie. Sieh dir an, was beide sagen, antworte in der Zeit, die du versprichst, und entscheide nicht, wo du einen der beiden kennst.",
    offer: "Anbieten, zu entscheiden",
    title: "Wie du dich nennst",
    title_hint: "Eine Zeile: wovon du etwas verstehst.",
    title_example: "Fahrradmechaniker: Ich entscheide über Fahrräder",
    details: "Wie du entscheidest",
    details_hint: "Was du dir ansiehst, und was du von beiden sehen willst.",
    fee: "Was du nimmst, wenn du entscheidest, in %",
    fee_hint: "Von dem, was gesperrt ist, höchstens 10. Nichts, wenn sie sich ohne dich einigen.",
    within: "Wie lange du höchstens brauchst",
    within_hint: "Zwischen einer Stunde und dreißig Tagen. Eine Bestellung, die dich nennt, lässt so viel Zeit.",
    offer_do: "Öffentlich anbieten",
    offering: "Wird angeboten …",
    offered: "Angeboten. Von jetzt an können Verkäufer dich nennen. Lass diese Seite oft offen: Wer dich nicht erreicht, kann dich nicht fragen.",
    four: "Wer will, dass du entscheidest, erkennt dich an diesem Bild und diesen vier Wörtern, an beidem zusammen: Eins allein lässt sich nachmachen. Sag sie den Leuten auch auf anderem Weg, damit sich niemand für dich ausgibt.",
    terms: |fee, time| format!("Nimmt {fee}, wenn er entscheidet, und braucht höchstens {time}."),
    terms_free: |time| format!("Nimmt nichts und braucht höchstens {time}."),
    until: |time| format!("Offen bis {time}. Nur so lange kann dich fragen, wer dich gewählt hat."),
    over: "Vorbei. Wer dich vorher gewählt hat, kann dich nicht mehr fragen.",
    longer: "Von jetzt an dreißig Tage offen",
    offered_longer: "Von jetzt an dreißig Tage offen.",
    stop: "Nicht mehr anbieten",
    stopping: "Es wird zurückgenommen. Wer dich gewählt hat, kann dich dann nicht mehr fragen.",
    cases: "Worum du gebeten wurdest",
    cases_none: "Niemand hat dich gefragt. Das ist eine gute Nachricht für alle, die dich gewählt haben.",
    state: |state| match state {
        CaseState::Looking => {
            "Es wird nachgesehen, ob das Geld da ist. Warte mit der Entscheidung."
        }
        CaseState::Open => "Das Geld ist gesperrt. Du bist am Zug.",
        CaseState::Signing => "Du hast entschieden; das wird gerade unterschrieben.",
        CaseState::Ruled => "Du hast entschieden.",
        CaseState::Gone => {
            "Das Geld ist nicht da: Es ging einen anderen Weg oder war nie gesperrt. Es gibt nichts zu entscheiden."
        }
        CaseState::Missed => {
            "Du hast nicht rechtzeitig entschieden: Das Geld ging an den, dem es dann zustand."
        }
    },
    unasked: "Sag zuerst, ob diese Mint gefragt werden darf.",
    rule_by: |time| format!("Du hast versprochen, bis {time} zu entscheiden."),
    deadline: |holder, time| match holder {
        Side::Buyer => format!("Entscheidet niemand, hat es der Käufer ab {time} zurück."),
        Side::Seller => format!("Entscheidet niemand, gehört es ab {time} dem Verkäufer."),
    },
    fee_of: |fee| format!("Davon nimmst du {fee}, wenn du entscheidest."),
    claim: |side, amount| match side {
        Side::Buyer => format!("Der Käufer will {amount} zurück."),
        Side::Seller => format!("Der Verkäufer würde dem Käufer {amount} zurückgeben."),
    },
    told: "Er kennt deine Entscheidung.",
    not_told: "Er kennt deine Entscheidung noch nicht.",
    not_taken: "Er nimmt deine Entscheidung nicht an: Für ihn gilt sie nicht diesem Geld, oder sie kam zu spät.",
    rule: "Entscheiden",
    rule_lead: "Frag vorher beide, wenn du kannst. Was du entscheidest, lässt sich nicht zurücknehmen.",
    rule_buyer: "An den Käufer",
    rule_hint: |shared| format!("Von {shared}; den Rest bekommt der Verkäufer."),
    rule_words: "Warum",
    rule_words_hint: "Wer dich gefragt hat, liest es.",
    rule_do: "So entscheiden",
    rule_done: "Entschieden. Es wird ausgeführt, sobald einer der beiden davon erfährt.",
    renew: "Nur sagen, dass es abgeschickt ist",
    renew_lead: |time| {
        format!(
            "Für einen Verkäufer, der es einem Käufer geschickt hat, der nichts davon sagt. Von da an ist das Geld seines, wenn der Käufer nicht widerspricht; dafür hat der Käufer {time} Zeit. Wer nicht einverstanden ist, darf dich noch einmal fragen. Du nimmst dafür nichts."
        )
    },
    renew_do: "Es gilt als abgeschickt",
    held: |by, time| match by {
        Ruler::Me => format!(
            "Du hast entschieden, dass es als abgeschickt gilt: Das Geld gehört ab {time} dem Verkäufer, wenn der Käufer nicht widerspricht."
        ),
        Ruler::Arbiter => format!(
            "Der Schiedsrichter hat entschieden, dass es als abgeschickt gilt: Das Geld gehört ab {time} dem Verkäufer, wenn der Käufer nicht widerspricht."
        ),
        Ruler::Said => format!(
            "Die andere Seite sagt, der Schiedsrichter habe entschieden, dass es als abgeschickt gilt, und dass das Geld ab {time} dem Verkäufer gehört, wenn der Käufer nicht widerspricht. Die Mint wird gefragt."
        ),
    },
    earned: |amount| format!("{amount} kamen zu dir."),
    trust: |mint| format!("{mint} fragen"),
    trust_lead: |mint| {
        format!(
            "Das Geld liegt bei {mint}, und du hast diese Mint nicht als eine genannt, der du traust. Um nachzusehen, ob es da ist, muss sie gefragt werden; dann sieht sie deine Netzadresse."
        )
    },
    news_case: "Jemand bittet dich, zu entscheiden.",
    who: "Wer entscheidet, wenn ihr euch nicht einigt",
    nobody: "Niemand",
    nobody_means: "Dann könnt das Geld vor seiner Frist nur ihr beide zusammen bewegen.",
    absent: |count| match count {
        1 => "Der Verkäufer nennt noch einen, von dem gerade nichts zu hören ist.".to_owned(),
        _ => format!("Der Verkäufer nennt noch {count}, von denen gerade nichts zu hören ist."),
    },
    careful: "Nimm einen, dem ihr beide traut, und sieh auf Bild und Wörter, nicht darauf, wie er sich nennt: Mit jedem von euch kann er das Geld bewegen. Wird er gefragt, erfährt er, wer ihr beide seid, und kann sehen, wo ihr zu finden seid, solange ihr einander sucht.",
    chosen: |who| format!("Wenn ihr euch nicht einigt, entscheidet „{who}“."),
    chosen_unknown: "Wenn ihr euch nicht einigt, entscheidet der Schiedsrichter, den ihr beide gewählt habt. Gerade ist nichts von ihm zu hören.",
    has_decided: |who| format!("„{who}“ hat entschieden."),
    has_decided_unknown: "Der Schiedsrichter, den ihr beide gewählt habt, hat entschieden.",
    ask: "Den Schiedsrichter entscheiden lassen",
    ask_lead: "Schreib zuerst der anderen Seite: Das meiste klärt sich dort. Der Schiedsrichter bekommt die Bestellung und ihre Bestätigung zu sehen und was du ihm schreibst; sonst keine Nachricht zwischen euch. Er erfährt, wer ihr beide seid, und kann sehen, wo ihr zu finden seid, solange ihr einander sucht.",
    ask_buyer: "Was der Käufer bekommen soll",
    ask_hint: |shared| format!("Von {shared}; den Rest bekommt der Verkäufer."),
    ask_fee: |fee| format!("Der Schiedsrichter nimmt {fee}, wenn er entscheidet."),
    ask_words: "Was geschehen ist",
    ask_do: "Ihn fragen",
    ask_done: "Gefragt. Schreib ihm unten, wenn es mehr zu sagen gibt.",
    asked: |amount| format!("Du hast den Schiedsrichter gebeten, dem Käufer {amount} zu geben."),
    asked_state: |state| match state {
        DisputeState::Sending => "Unterwegs zu ihm: Er muss da sein, um es zu bekommen.",
        DisputeState::Delivered => "Er hat es.",
        DisputeState::Refused(code) if code == "whisper-rate" => {
            "Er hat gerade zu viel vor sich. Frag später noch einmal."
        }
        DisputeState::Refused(_) => "Er nimmt es nicht an. Kläre es mit der anderen Seite.",
        DisputeState::Lost => {
            "Er war nicht rechtzeitig zu finden. Frag noch einmal, solange Zeit ist."
        }
    },
    ask_by: |time| format!("Den Schiedsrichter kannst du bis {time} fragen."),
    ask_late: "Es ist zu spät, den Schiedsrichter zu fragen: Er könnte nicht mehr entscheiden, bevor das Geld dem zufällt, dem es dann zusteht.",
    talk: "Was du ihm hier schreibst, nimmt er als Beleg.",
    ruling: |by, buyer, seller| match by {
        Ruler::Me => {
            format!("Du hast entschieden: {buyer} an den Käufer, {seller} an den Verkäufer.")
        }
        Ruler::Arbiter => format!(
            "Der Schiedsrichter hat entschieden: {buyer} an den Käufer, {seller} an den Verkäufer."
        ),
        Ruler::Said => format!(
            "Die andere Seite sagt, der Schiedsrichter habe entschieden: {buyer} an den Käufer, {seller} an den Verkäufer. Die Mint wird gefragt."
        ),
    },
    ruling_fee: |by, fee| match by {
        Ruler::Me => format!("Du nimmst {fee}."),
        Ruler::Arbiter | Ruler::Said => format!("Er nimmt {fee}."),
    },
    ruling_words: |by| match by {
        Ruler::Me => "Du hast gesagt, warum",
        Ruler::Arbiter | Ruler::Said => "Der Schiedsrichter sagt, warum",
    },
    news_ruled: "Der Schiedsrichter hat entschieden.",
    takes: "Wer entscheiden darf, wenn du und ein Käufer euch nicht einigt",
    takes_lead: "Deine Angebote nennen sie, und der Käufer wählt einen oder keinen. Nimm nur, wen du kennst: Einer von ihnen und der Käufer können das Geld ohne dich bewegen.",
    takes_none: "Noch ist von niemandem zu hören, der für andere entscheidet.",
    takes_add: |who| format!("„{who}“ nehmen"),
    takes_remove: |who| format!("„{who}“ nicht mehr nehmen"),
    takes_away: "gerade nicht zu hören",
    takes_full: "Mehr als vier kann ein Angebot nicht nennen.",
    arbiter: "Der Schiedsrichter",
    write_arbiter: "Dem Schiedsrichter schreiben",
    trader: "Jemand",
    write_trader: "Antworten",
    questions: "Fragen an dich",
    side: |side| match side {
        Side::Buyer => "Käufer",
        Side::Seller => "Verkäufer",
    },
};
