//! Units and properties, in German.

use crate::words::S;

/// What is counted or measured in, by its UN/CEFACT code.
pub(super) fn unit(code: &str, one: bool) -> Option<S> {
    let of = |single, many| if one { single } else { many };
    Some(match code {
        "C62" => "Stück",
        "HUR" => of("Stunde", "Stunden"),
        "DAY" => of("Tag", "Tage"),
        "WEE" => of("Woche", "Wochen"),
        "MON" => of("Monat", "Monate"),
        "ANN" => of("Jahr", "Jahre"),
        "MIN" => of("Minute", "Minuten"),
        "GRM" => "g",
        "KGM" => "kg",
        "TNE" => of("Tonne", "Tonnen"),
        "LTR" => "Liter",
        "MMT" => "mm",
        "CMT" => "cm",
        "MTR" => "m",
        "KMT" => "km",
        "INH" => "Zoll",
        "MTK" => "m²",
        "KWH" => "kWh",
        "WTT" => "W",
        "SET" => of("Satz", "Sätze"),
        "PR" => "Paar",
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

/// A property that is known by its name.
pub(super) fn attribute(key: &str) -> Option<S> {
    Some(match key {
        "ram" => "Arbeitsspeicher",
        "hd" => "Festplatte",
        "screen" => "Bildschirm",
        "speed" => "Takt",
        "cd" => "CD-Laufwerk",
        "multi" => "Multimedia-Ausstattung",
        "premium" => "bekannte Marke",
        "brand" => "Marke",
        "colour" => "Farbe",
        "size" => "Größe",
        "frame" => "Rahmen",
        "weight" => "Gewicht",
        "year" => "Baujahr",
        "material" => "Material",
        "condition" => "Zustand",
        _ => return None,
    })
}
