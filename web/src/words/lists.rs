//! Product lists: what the page says about them, in each language.

use super::ListWords;
use crate::node::Fault;

/// English.
pub(super) const EN: ListWords = ListWords {
    open: "Import or export",
    heading: "Your stall as a list",
    lead: "For a spreadsheet or another program. Nothing of it leaves this device except as the file you save.",
    export: "Export",
    export_lead: |n| {
        match n {
        0 => "There is nothing in your stall yet. Save the list all the same: its first line names every column.".to_owned(),
        1 => "Saves the 1 item of your stall to a file.".to_owned(),
        n => format!("Saves the {n} items of your stall to a file."),
    }
    },
    csv: "Save as CSV",
    json: "Save as JSON",
    too_wide: "Your items have more than 4,000 different properties. Save them as JSON.",
    saved: |name| format!("Saved as {name}."),
    import: "Import",
    import_lead: "Items with the same “sku” or “id” are changed, all others are added. Nothing is taken out of your stall.",
    file: "The list (CSV or JSON)",
    unread: "This file cannot be read. Choose it again.",
    found: |counts| enumerated(counts, ["new", "changed", "as before"]),
    put: |n| {
        if n == 1 {
            "Put 1 item into the stall".to_owned()
        } else {
            format!("Put {n} items into the stall")
        }
    },
    put_done: |n| {
        if n == 1 {
            "1 item is in your stall.".to_owned()
        } else {
            format!("{n} items are in your stall.")
        }
    },
    nothing_to_do: "Your stall holds all of this already.",
    wrong: |n| {
        if n == 1 {
            "There is 1 mistake in this list. Nothing was put into your stall.".to_owned()
        } else {
            format!("There are {n} mistakes in this list. Nothing was put into your stall.")
        }
    },
    line: |line| format!("Line {line}"),
    more: |n| format!("and {n} more"),
    fault: |fault| match fault {
        Fault::NotUtf8 => {
            "This is not text in UTF-8: save it from your spreadsheet as “CSV UTF-8”.".to_owned()
        }
        Fault::TooLarge => {
            "This is more than a stall can hold: at most 50,000 items and 64 MB.".to_owned()
        }
        Fault::Empty => "There is no item in it.".to_owned(),
        Fault::NotJson(why) => format!("This is no list of items in JSON: {why}"),
        Fault::NotATable => {
            "This cannot be cut into cells. Is a quotation mark missing?".to_owned()
        }
        Fault::NoColumn => "This column is needed, and the first line does not name it.".to_owned(),
        Fault::UnknownColumn => {
            "No column is called so. A property’s begins with “is”, like “is colour”.".to_owned()
        }
        Fault::ColumnTwice => "This column stands there twice.".to_owned(),
        Fault::NoSuchColumn => "There is something in a column that has no name.".to_owned(),
        Fault::Missing => "This may not be empty.".to_owned(),
        Fault::NoCategory(text) => {
            format!("There is no category “{text}”. Export your stall to see how they are written.")
        }
        Fault::NotAnAmount(text) => format!("“{text}” is no amount like 399.90."),
        Fault::NotAQuantity(text) => format!("“{text}” is no quantity like 2 or 2.5."),
        Fault::NotAUnit(text) => {
            format!("“{text}” is no unit. C62 are pieces, HUR hours, KGM kilograms.")
        }
        Fault::NotACurrency(text) => format!("“{text}” is no currency like EUR."),
        Fault::NotAWord(text, known) => format!("“{text}” is none of: {}.", known.join(", ")),
        Fault::NotATime(text) => format!("“{text}” is no time like 2d, 36h or 45m."),
        Fault::NotAnId(text) => {
            format!("“{text}” is no number of an item. Leave it empty for a new one.")
        }
        Fault::Twice(line) => format!("This stands in line {line} already."),
        Fault::Unfit(complaint) => complaint.sentence.clone(),
    },
};

/// German.
pub(super) const DE: ListWords = ListWords {
    open: "Import und Export",
    heading: "Dein Stand als Liste",
    lead: "Für eine Tabellenkalkulation oder ein anderes Programm. Nichts davon verlässt dieses Gerät, außer in der Datei, die du speicherst.",
    export: "Export",
    export_lead: |n| {
        match n {
        0 => "In deinem Stand ist noch nichts. Speichere die Liste trotzdem: Ihre erste Zeile nennt alle Spalten.".to_owned(),
        1 => "Speichert den 1 Artikel deines Standes in eine Datei.".to_owned(),
        n => format!("Speichert die {n} Artikel deines Standes in eine Datei."),
    }
    },
    csv: "Als CSV speichern",
    json: "Als JSON speichern",
    too_wide: "Deine Artikel haben mehr als 4000 verschiedene Eigenschaften. Speichere sie als JSON.",
    saved: |name| format!("Gespeichert als {name}."),
    import: "Import",
    import_lead: "Artikel mit derselben „sku“ oder „id“ werden geändert, alle anderen kommen dazu. Aus deinem Stand wird nichts herausgenommen.",
    file: "Die Liste (CSV oder JSON)",
    unread: "Diese Datei lässt sich nicht lesen. Wähle sie noch einmal.",
    found: |counts| enumerated(counts, ["neu", "geändert", "wie bisher"]),
    put: |n| {
        if n == 1 {
            "1 Artikel in den Stand nehmen".to_owned()
        } else {
            format!("{n} Artikel in den Stand nehmen")
        }
    },
    put_done: |n| {
        if n == 1 {
            "1 Artikel ist in deinem Stand.".to_owned()
        } else {
            format!("{n} Artikel sind in deinem Stand.")
        }
    },
    nothing_to_do: "Dein Stand enthält das alles schon.",
    wrong: |n| {
        if n == 1 {
            "In dieser Liste ist 1 Fehler. Nichts davon kam in deinen Stand.".to_owned()
        } else {
            format!("In dieser Liste sind {n} Fehler. Nichts davon kam in deinen Stand.")
        }
    },
    line: |line| format!("Zeile {line}"),
    more: |n| format!("und {n} weitere"),
    fault: |fault| {
        match fault {
        Fault::NotUtf8 => "Das ist kein Text in UTF-8: Speichere die Liste aus deiner Tabellenkalkulation als „CSV UTF-8“.".to_owned(),
        Fault::TooLarge => "Das ist mehr, als ein Stand fasst: höchstens 50.000 Artikel und 64 MB.".to_owned(),
        Fault::Empty => "Es steht kein Artikel darin.".to_owned(),
        Fault::NotJson(why) => format!("Das ist keine Liste von Artikeln in JSON: {why}"),
        Fault::NotATable => "Das lässt sich nicht in Zellen schneiden. Fehlt ein Anführungszeichen?".to_owned(),
        Fault::NoColumn => "Diese Spalte wird gebraucht, und die erste Zeile nennt sie nicht.".to_owned(),
        Fault::UnknownColumn => "So heißt keine Spalte. Die einer Eigenschaft beginnt mit „is“, wie „is colour“.".to_owned(),
        Fault::ColumnTwice => "Diese Spalte steht zweimal da.".to_owned(),
        Fault::NoSuchColumn => "In einer Spalte ohne Namen steht etwas.".to_owned(),
        Fault::Missing => "Das darf nicht leer sein.".to_owned(),
        Fault::NoCategory(text) => format!("Eine Kategorie „{text}“ gibt es nicht. Exportiere deinen Stand, um zu sehen, wie sie geschrieben werden."),
        Fault::NotAnAmount(text) => format!("„{text}“ ist kein Betrag wie 399,90."),
        Fault::NotAQuantity(text) => format!("„{text}“ ist keine Menge wie 2 oder 2,5."),
        Fault::NotAUnit(text) => format!("„{text}“ ist keine Einheit. C62 sind Stück, HUR Stunden, KGM Kilogramm."),
        Fault::NotACurrency(text) => format!("„{text}“ ist keine Währung wie EUR."),
        Fault::NotAWord(text, known) => format!("„{text}“ ist keines von: {}.", known.join(", ")),
        Fault::NotATime(text) => format!("„{text}“ ist keine Zeit wie 2d, 36h oder 45m."),
        Fault::NotAnId(text) => format!("„{text}“ ist keine Nummer eines Artikels. Lass sie leer für einen neuen."),
        Fault::Twice(line) => format!("Das steht schon in Zeile {line}."),
        Fault::Unfit(complaint) => unfit(complaint.field.as_deref().unwrap_or_default()).to_owned(),
        }
    },
};

/// What no stall takes, in German; English is what the peer says by itself.
fn unfit(field: &str) -> &'static str {
    match field {
        "id" => "Das ist die Nummer eines anderen Artikels. Lass sie oder die sku leer.",
        "sku" => "Nenn den Artikel in einer Zeile mit höchstens 64 Zeichen.",
        "title" => "Nenn den Artikel in einer Zeile mit höchstens 120 Zeichen.",
        "category" => "Wähle eine Kategorie aus der Liste.",
        "attributes" => "Höchstens 16 Eigenschaften, jede einmal, mit kurzem Namen und Wert.",
        "stock" => "So viel lässt sich nicht zählen. Lass es leer, wenn es nicht ausgeht.",
        "tiers" => "Ein bis acht Preise, die kleinste Menge zuerst.",
        "floor" => "Der niedrigste Preis darf nicht über dem liegen, der verlangt wird.",
        "deliveries" => "Höchstens 16 Wege, jeder mit höchstens 64 Orten.",
        "note" => "Bleib bei der Notiz unter 600 Zeichen.",
        _ => "Diesen Artikel nimmt kein Stand.",
    }
}

/// `2 new, 1 as before.`: what there is none of is not told.
fn enumerated(counts: [u64; 3], names: [&str; 3]) -> String {
    let told = counts.iter().zip(names).filter(|(count, _)| **count > 0);
    let told: Vec<_> = told
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    format!("{}.", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_of_by_what_it_changes() {
        assert_eq!((EN.found)([2, 0, 1]), "2 new, 1 as before.");
        assert_eq!((DE.found)([0, 3, 0]), "3 geändert.");
    }
}
