//! Files that go with what is said, and the code by which goods are handed over: what the page says about them, in
//! each language.

use super::{FileWords, Handover};
use crate::forms::files::{Scale, Unfit};

/// English.
pub(super) const EN: FileWords = FileWords {
    heading: "Files",
    add: "Add a photo or file",
    add_hint: "Photos are made smaller, and where and with what they were taken is removed.",
    goods: "Choose the files that were ordered",
    goods_hint: "They are sent exactly as they are, at most 4 with 8 MB each.",
    chosen: "Goes with it",
    added: |name| format!("{name} goes with it."),
    take_out: |name| format!("Do not send {name}"),
    size: |scale, number| match scale {
        Scale::Bytes if number == "1" => "1 byte".to_owned(),
        Scale::Bytes => format!("{number} bytes"),
        Scale::Kilo => format!("{number} KB"),
        Scale::Mega => format!("{number} MB"),
    },
    coming: |come, all| format!("{come} of {all} have come"),
    coming_hint: "It comes while both of you are here.",
    came: |name| format!("{name} is here."),
    load: |size| format!("Load ({size})"),
    load_again: "Load again",
    wrong: "What came is not what was sent.",
    gone: "The other side does not have it any more.",
    removed: "You removed it.",
    made_room: "You removed it, or it made room after its trade had ended.",
    save: "Save",
    saved: |name| format!("{name} is among your downloads."),
    look: |name| format!("{name}, larger"),
    remove: "Remove",
    remove_mine: "It is removed from this device, and the other side can then not load it any more.",
    unfit: |unfit| match unfit {
        Unfit::TooMany => {
            "At most four files go with one message. Send the others with the next one."
        }
        Unfit::TooLarge => {
            "A file has at most 8 MB. Send a smaller one, or say where it can be fetched."
        }
        Unfit::TooMuch => {
            "The files of one message have at most 16 MB together. Send some with the next one."
        }
        Unfit::Empty => "There is nothing in this file. Choose another one.",
        Unfit::Unread => "This file cannot be read. Choose it again.",
        Unfit::Undrawn => {
            "This browser cannot open this photo, so what it tells of its place could not be taken out. Save it as a JPEG, then choose that."
        }
    },
};

/// German.
pub(super) const DE: FileWords = FileWords {
    heading: "Dateien",
    add: "Foto oder Datei anhängen",
    add_hint: "Fotos werden verkleinert, und wo und womit sie aufgenommen wurden, wird entfernt.",
    goods: "Wähle die bestellten Dateien",
    goods_hint: "Sie werden genau so geschickt, wie sie sind: höchstens 4 mit je 8 MB.",
    chosen: "Geht mit",
    added: |name| format!("{name} geht mit."),
    take_out: |name| format!("{name} nicht mitschicken"),
    size: |scale, number| match scale {
        Scale::Bytes if number == "1" => "1 Byte".to_owned(),
        Scale::Bytes => format!("{number} Bytes"),
        Scale::Kilo => format!("{number} KB"),
        Scale::Mega => format!("{number} MB"),
    },
    coming: |come, all| format!("{come} von {all} sind da"),
    coming_hint: "Sie kommt, während ihr beide hier seid.",
    came: |name| format!("{name} ist da."),
    load: |size| format!("Laden ({size})"),
    load_again: "Noch einmal laden",
    wrong: "Was kam, ist nicht, was geschickt wurde.",
    gone: "Die andere Seite hat sie nicht mehr.",
    removed: "Du hast sie entfernt.",
    made_room: "Du hast sie entfernt, oder sie hat nach dem Ende ihres Geschäfts Platz gemacht.",
    save: "Speichern",
    saved: |name| format!("{name} liegt bei deinen Downloads."),
    look: |name| format!("{name}, größer"),
    remove: "Entfernen",
    remove_mine: "Sie wird von diesem Gerät entfernt, und die andere Seite kann sie dann nicht mehr laden.",
    unfit: |unfit| match unfit {
        Unfit::TooMany => {
            "Mit einer Nachricht gehen höchstens vier Dateien. Schick die übrigen mit der nächsten."
        }
        Unfit::TooLarge => {
            "Eine Datei hat höchstens 8 MB. Schick eine kleinere, oder sag, wo man sie holen kann."
        }
        Unfit::TooMuch => {
            "Die Dateien einer Nachricht haben zusammen höchstens 16 MB. Schick einige mit der nächsten."
        }
        Unfit::Empty => "In dieser Datei ist nichts. Wähle eine andere.",
        Unfit::Unread => "Diese Datei lässt sich nicht lesen. Wähle sie noch einmal.",
        Unfit::Undrawn => {
            "Dieser Browser kann dieses Foto nicht öffnen, darum ließ sich nicht entfernen, was es über seinen Ort verrät. Speichere es als JPEG und wähle das."
        }
    },
};

/// English.
pub(super) const EN_HANDOVER: Handover = Handover {
    heading: "Hand-over code",
    body: "Tell it to the seller when you hold the goods in your hands, and not before: it is his proof that he gave them to you.",
    code: "The buyer’s code",
    code_hint: "Ten letters and digits. Capitals and spaces do not matter.",
    wait: "Your turn: say that you have received it",
    done: "This trade is at its end: it was handed over, and the seller has the buyer’s code to show for it.",
};

/// German.
pub(super) const DE_HANDOVER: Handover = Handover {
    heading: "Übergabecode",
    body: "Sag ihn dem Anbieter, wenn du die Ware in den Händen hältst, und nicht vorher: Damit kann er beweisen, dass er sie dir gegeben hat.",
    code: "Der Code des Käufers",
    code_hint: "Zehn Buchstaben und Ziffern. Großbuchstaben und Leerzeichen sind egal.",
    wait: "Du bist dran: sag, dass du es bekommen hast",
    done: "Dieses Geschäft ist zu Ende: Es wurde übergeben, und der Anbieter hat den Code des Käufers als Beweis.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_with_its_unit() {
        for words in [EN, DE] {
            assert_eq!((words.size)(Scale::Kilo, "340"), "340 KB");
            assert_eq!((words.size)(Scale::Mega, "2.1"), "2.1 MB");
            assert_ne!(
                (words.size)(Scale::Bytes, "1"),
                (words.size)(Scale::Bytes, "2")
            );
        }
        assert_eq!((EN.coming)("12", "340 KB"), "12 of 340 KB have come");
        assert_eq!((DE.load)("2,1 MB"), "Laden (2,1 MB)");
    }
}
