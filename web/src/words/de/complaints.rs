//! What the peer complains of, in German. English is what the peer says by itself.

use crate::words::S;

/// What the peer complains of, by its code and field; what is not here is shown in the peer's English.
pub(super) fn complaint(code: &str, field: &str) -> Option<S> {
    Some(match (code, field) {
        (_, "title") => "Sag in einer Zeile, was du willst: höchstens 120 Zeichen.",
        ("too-large", _) => {
            "Das ist zu lang, um in einem Stück gesagt zu werden. Kürze die Einzelheiten oder lass einen Wunsch weg."
        }
        (_, "details") => "Bleib bei den Einzelheiten unter 1000 Zeichen.",
        (_, "category") => "Wähle eine Kategorie aus der Liste.",
        (_, "wishes") => {
            "Höchstens 16 Eigenschaften, jede mit kurzem Namen und Wert; nur Maße können mindestens oder höchstens sein."
        }
        (_, "quantity") => {
            "Sag, wie viel: mehr als nichts, mit höchstens sechs Stellen nach dem Komma."
        }
        (_, "budget") => "Nenn ein Budget über null, oder behalte es für dich.",
        (_, "limit") => "Nenn deine Grenze in der Währung deines Budgets.",
        (_, "floor") => "Der niedrigste Preis darf nicht über dem liegen, der verlangt wird.",
        (_, "places") => "Wähle einen Ort, oder zwei, wenn es von einem zum anderen geht.",
        (_, "window") => "Wähle einen Zeitraum, der noch nicht vorbei ist.",
        (_, "openFor") => "Lass es mindestens zwei Minuten und höchstens dreißig Tage offen.",
        (_, "quotesFor") => "Nimm mindestens eine Minute lang Angebote an.",
        ("not-open", _) => "Dieses Gesuch ist vorbei. Frag noch einmal, wenn du es noch willst.",
        ("no-such-intent", _) => "Dieses Gesuch gibt es hier nicht mehr.",
        ("quote-expired", _) => {
            "Dieses Angebot gilt nicht mehr. Nimm ein anderes, oder warte auf ein neues."
        }
        ("backup-none", _) => {
            "Das ist keine Sicherungsdatei von Haggle. Wähle die Datei, die hier gespeichert wurde."
        }
        ("backup-newer", _) => {
            "Diese Datei schrieb eine neuere Version von Haggle. Lade die Seite neu."
        }
        ("backup-secret", _) => {
            "Das sind weder die Wörter noch der Kennsatz dieser Datei. Achte auf Schreibfehler; beim Kennsatz zählen Großbuchstaben."
        }
        ("backup-damaged", _) => {
            "Diese Datei ist beschädigt: ein Teil fehlt oder ist verändert. Nimm eine andere Kopie; nichts wurde geändert."
        }
        ("backup-too-large", _) => {
            "In diesem Profil ist zu viel für eine Datei. Nimm alte Angebote vom Stand und versuch es noch einmal."
        }
        ("backup-passphrase", _) => {
            "Ein Kennsatz hat mindestens 8 Zeichen und höchstens 1024 Bytes."
        }
        ("phrase-count", _) => "Es sind 12 oder 24 Wörter.",
        ("phrase-word", _) => {
            "Eines der Wörter steht nicht auf der Liste. Achte auf Schreibfehler."
        }
        ("phrase-checksum", _) => {
            "Diese Wörter gehören nicht zusammen: eines ist ein anderes, oder zwei sind vertauscht."
        }
        ("bad-counter", _) => "Biete mehr als beim letzten Mal und weniger, als verlangt wird.",
        ("no-more-rounds", _) => {
            "Du hast diesem Anbieter drei Gegenangebote gemacht. Nimm sein Angebot, oder lass es."
        }
        ("quote-gone", _) => "Über dieses Angebot lässt sich nicht mehr handeln. Nimm ein anderes.",
        ("no-counter", _) => "Der Käufer wartet auf keine Antwort mehr. Biete selbst neu an.",
        ("out-of-stock", _) => "Davon ist nicht mehr genug an deinem Stand.",
        ("too-many-files", _) => {
            "Mit einer Nachricht gehen höchstens vier Dateien. Schick die übrigen mit der nächsten."
        }
        ("file-too-large", _) => {
            "Eine Datei hat höchstens 8 MB, und alle einer Nachricht zusammen 16 MB. Schick eine kleinere, oder sag, wo man sie holen kann."
        }
        ("bad-file", _) => {
            "Diese Datei lässt sich so nicht schicken: Ein Name hat höchstens 120 Zeichen, ohne Schrägstriche und ohne Punkt am Anfang."
        }
        ("files-full", _) => {
            "Die Dateien all deiner Geschäfte haben 64 MB erreicht. Speichere und entferne einige davon, dann versuch es noch einmal."
        }
        ("no-such-file", _) => {
            "Diese Datei ist vergessen, mit dem Gespräch oder dem Geschäft, zu dem sie gehörte."
        }
        ("bad-code", _) => "Tipp die zehn Zeichen ein, die der Käufer dir vorliest.",
        ("wrong-code", _) => {
            "Das ist nicht der Code dieser Bestellung. Lass ihn dir vom Käufer noch einmal vorlesen."
        }
        ("no-code", _) => {
            "Zu dieser Bestellung gibt es keinen Übergabecode. Sag stattdessen, dass du es übergeben hast."
        }
        ("bad-text", "text") => {
            "Schreib etwas, und höchstens 800 Zeichen auf einmal, ohne Leerzeichen am Anfang und Ende."
        }
        ("store-full", _) => {
            "Auf diesem Gerät ist für diese Dateien kein Platz mehr. Schaff welchen, dann schick sie noch einmal; nichts wurde geschickt."
        }
        ("file-damaged", _) => {
            "Ein Teil dieser Datei fehlt hier oder ist beschädigt. Entferne sie und lade sie noch einmal."
        }
        ("closed", _) => {
            "Dieser Austausch ist vorbei: Die andere Seite nimmt dazu keine Nachrichten mehr an."
        }
        ("unanswered", _) => "Der Käufer hat drei Nachrichten von dir. Warte, bis er antwortet.",
        ("too-many-waiting", _) => {
            "Acht Nachrichten warten schon auf die andere Seite. Warte, bis sie erreicht ist."
        }
        ("said-already", _) => "Das hast du schon gesagt.",
        ("received", _) => "Der Käufer hat es schon.",
        ("cancelling", _) => {
            "Dein Rücktritt ist unterwegs zur anderen Seite. Warte ab, was daraus wird."
        }
        ("unsupported" | "no-rail", _) => "Diese Art zu zahlen ist hier nicht eingerichtet.",
        ("unknown", _) => {
            "Die Mint antwortet nicht. Ob es geschah, zeigt sich, wenn sie es wieder tut; inzwischen geht nichts verloren."
        }
        ("not-trusted", _) => {
            "Dieser Mint traust du nicht. Nenn sie erst als eine, die dein Geld verwahren darf."
        }
        ("not-enough", _) => "So viel ist nicht da, die Kosten der Mint eingerechnet.",
        ("damaged", "" | "text" | "request") => {
            "Das lässt sich nicht lesen. Kopier alles davon und versuch es noch einmal."
        }
        ("spent", _) => "Dieses Geld hat schon jemand genommen.",
        ("refused", _) => "Die Mint sagt nein.",
        ("not-saved", _) => {
            "Auf diesem Gerät ließ es sich nicht speichern, darum wurde es nicht getan. Schaff Platz und versuch es noch einmal."
        }
        ("not-offered", "arbiter") => {
            "Den nimmt der Verkäufer nicht. Wähl einen von denen, die sein Angebot nennt, oder keinen."
        }
        ("arbiter-away", _) => {
            "Vom Schiedsrichter ist gerade nichts zu hören, oder er entscheidet nicht mehr zu diesen Bedingungen. Versuch es später noch einmal."
        }
        ("no-arbiter", _) => {
            "Mit dieser Bestellung wurde kein Schiedsrichter gewählt. Schreib der anderen Seite und schlag vor, wie geteilt wird."
        }
        ("too-late", _) => "Dafür bleibt nicht mehr genug Zeit. Schreib der anderen Seite.",
        ("ruled", _) => "Das ist schon entschieden.",
        ("disputed", _) => {
            "Du hast den Schiedsrichter schon gefragt. Schreib ihm, wenn es mehr zu sagen gibt."
        }
        ("bad-text", "words") => {
            "Sag in höchstens 600 Zeichen, warum, ohne Leerzeichen am Anfang und am Ende."
        }
        ("rail-not-ready", _) => {
            "Was zum Zahlen nötig ist, wird noch geladen. Versuch es gleich noch einmal."
        }
        ("no-such-case", _) => "Diesen Fall gibt es hier nicht.",
        ("not-looked-at", _) => {
            "Es wird noch nachgesehen, ob das Geld da ist. Versuch es gleich noch einmal."
        }
        ("gone", _) => "Das Geld ist nicht mehr da, es gibt nichts zu entscheiden.",
        ("wrong-terms", _) => {
            "Diesen Bedingungen haben andere zugestimmt: Nimm das zurück und biete es neu an."
        }
        (_, "arbiter") => {
            "Nimm höchstens ein Zehntel, und brauche zwischen einer Stunde und dreißig Tagen."
        }
        ("not-offered", _) => {
            "Das nimmt der Verkäufer nicht. Wähl eine der Stellen, die sein Angebot nennt, oder bezahl ihn direkt."
        }
        ("wrong-total", "minor") => "In der Währung des Angebots wird genau seine Summe gesperrt.",
        ("no-rate", _) => {
            "Sag, wie viel davon du zahlst: Das Angebot lautet auf eine andere Währung, und auf einen Kurs könnt nur ihr beide euch einigen."
        }
        ("below-floor" | "above-ceiling", _) => {
            "Diese Summe lässt sich dort nicht sperren. Bezahl sie direkt oder auf andere Art."
        }
        ("not-funded", _) => {
            "Das Geld des Käufers ist noch nicht gesperrt. Warte darauf, dann schick es los oder übergib es."
        }
        ("not-locked", _) => "Es ist nichts gesperrt, das sich teilen ließe.",
        ("wrong-sum", "buyer") => "Das ist mehr, als gesperrt ist.",
        ("too-many-offers", _) => {
            "Du hast schon viele Vorschläge gemacht. Schreib der anderen Seite und einigt euch auf einen davon."
        }
        ("no-such-offer", _) => "Das hat die andere Seite nicht vorgeschlagen.",
        ("peer-stopped", _) => {
            "Diese Seite hat angehalten. Lade sie neu; was bestätigt wurde, ist gespeichert."
        }
        _ => return None,
    })
}
