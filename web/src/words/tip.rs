//! A tip, for whoever is thankful: what the page says of it, in each language. It asks nobody for one.

use super::TipWords;
use crate::board::Thanked;

/// English.
pub(super) const EN: TipWords = TipWords {
    open: |whom| match whom {
        Thanked::Buyer => "Give the buyer a tip",
        Thanked::Seller => "Give the seller a tip",
        Thanked::Arbiter => "Give the arbiter a tip",
    },
    lead: "Only if you like: nobody waits for it, and the trade stays as it is. It goes as ecash in a message that only the two of you can read, and Haggle takes nothing of it.",
    same_mint: "Only somebody who trusts the mint that keeps it can take it.",
    words: "A few words with it",
    back: "Until it is taken, it stands with your money under “given away and not taken yet”, and you can take it back there.",
    give: "Give it",
    none: "There is no ecash in your purses.",
    to_money: "To your money",
    done: |amount| format!("{amount} given as a tip."),
    not_sent: |why| format!("It was not sent, and the money is back in your purse. {why}"),
    not_back: |why| {
        format!(
            "It was not sent. The money stands with your money under “given away and not taken yet”: take it back there. {why}"
        )
    },
    mine: "A tip that you gave",
    waiting: "Not taken yet, as far as is known here. You can take it back where your money is.",
    gone: "It was taken, or you took it back.",
    theirs: "A tip, in ecash",
    claim: "That is what its sender says. What it is worth, its mint says when you take it.",
    came: |amount, mint| format!("{amount} came in, kept by {mint}. You have taken it."),
    taken: "You have taken it, or removed it. What came in stands with your money.",
};

/// German.
pub(super) const DE: TipWords = TipWords {
    open: |whom| match whom {
        Thanked::Buyer => "Dem Käufer ein Trinkgeld geben",
        Thanked::Seller => "Dem Anbieter ein Trinkgeld geben",
        Thanked::Arbiter => "Dem Schiedsrichter ein Trinkgeld geben",
    },
    lead: "Nur wenn du magst: Niemand wartet darauf, und am Geschäft ändert es nichts. Es geht als E-Cash in einer Nachricht, die nur ihr beide lesen könnt, und Haggle nimmt nichts davon.",
    same_mint: "Annehmen kann es nur, wer der Mint traut, die es verwahrt.",
    words: "Ein paar Worte dazu",
    back: "Bis es angenommen ist, steht es bei deinem Geld unter „Hergegeben und noch nicht angenommen“, und dort kannst du es zurücknehmen.",
    give: "Geben",
    none: "In deinen Börsen ist kein E-Cash.",
    to_money: "Zu deinem Geld",
    done: |amount| format!("{amount} als Trinkgeld gegeben."),
    not_sent: |why| {
        format!("Es wurde nicht geschickt, und das Geld ist zurück in deiner Börse. {why}")
    },
    not_back: |why| {
        format!(
            "Es wurde nicht geschickt. Das Geld steht bei deinem Geld unter „Hergegeben und noch nicht angenommen“: Nimm es dort zurück. {why}"
        )
    },
    mine: "Ein Trinkgeld von dir",
    waiting: "Noch nicht angenommen, soweit man hier weiß. Zurücknehmen kannst du es dort, wo dein Geld ist.",
    gone: "Es wurde angenommen, oder du hast es zurückgenommen.",
    theirs: "Ein Trinkgeld, in E-Cash",
    claim: "So sagt es, wer es geschickt hat. Was es wert ist, sagt seine Mint, wenn du es annimmst.",
    came: |amount, mint| format!("{amount} kamen an, verwahrt von {mint}. Du hast es angenommen."),
    taken: "Du hast es angenommen oder entfernt. Was ankam, steht bei deinem Geld.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;

    #[test]
    fn whom_one_thanks_is_named_and_no_sentence_names_a_sum_or_a_share() {
        for lang in Lang::ALL {
            let words = &lang.words().tip;
            let all = [Thanked::Buyer, Thanked::Seller, Thanked::Arbiter];
            let named: std::collections::BTreeSet<_> = all.map(words.open).into_iter().collect();
            assert_eq!(named.len(), all.len());
            let silent = [words.lead, words.same_mint, words.words, words.give];
            for sentence in named.into_iter().chain(silent) {
                let counts = |c: char| c.is_ascii_digit() || c == '%';
                assert!(!sentence.contains(counts), "{sentence}");
            }
        }
    }

    #[test]
    fn where_the_money_is_to_be_found_is_called_as_it_is_called_there() {
        for lang in Lang::ALL {
            let words = lang.words();
            let list = words.money.given.to_lowercase();
            let kept = [words.tip.back.to_owned(), (words.tip.not_back)("")];
            for sentence in kept {
                assert!(sentence.to_lowercase().contains(&list), "{sentence}");
            }
        }
    }

    #[test]
    fn what_came_is_told_with_its_mint() {
        let came = (EN.came)("€5.00", "mint.example");
        assert_eq!(
            came,
            "€5.00 came in, kept by mint.example. You have taken it."
        );
    }
}
