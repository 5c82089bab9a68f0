//! Places that a person can pick without a map: large cities, each standing for a square of about 156 km
//! (three characters of geohash), so that picking one says little. And back: a stranger's square is called after
//! the nearest city that is known here.

use haggle_protocol::place::Place;

/// A city: what it is called in English and in German, and where it is in hundredths of a degree (north, east).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct City {
    /// In English.
    pub english: &'static str,
    /// In German.
    pub german: &'static str,
    /// Hundredths of a degree north.
    pub north: i16,
    /// Hundredths of a degree east.
    pub east: i16,
}

const fn city(english: &'static str, german: &'static str, north: i16, east: i16) -> City {
    City {
        english,
        german,
        north,
        east,
    }
}

/// Cities with wide regions around them, so that most people find one that is "around here".
pub const CITIES: [City; 72] = [
    city("Accra", "Accra", 560, -19),
    city("Amsterdam", "Amsterdam", 5237, 490),
    city("Athens", "Athen", 3798, 2373),
    city("Auckland", "Auckland", -3685, 17476),
    city("Bangkok", "Bangkok", 1376, 10050),
    city("Barcelona", "Barcelona", 4139, 217),
    city("Basel", "Basel", 4756, 759),
    city("Beijing", "Peking", 3990, 11641),
    city("Belgrade", "Belgrad", 4479, 2045),
    city("Berlin", "Berlin", 5252, 1340),
    city("Bogotá", "Bogotá", 471, -7407),
    city("Bratislava", "Bratislava", 4815, 1711),
    city("Brussels", "Brüssel", 5085, 435),
    city("Bucharest", "Bukarest", 4443, 2610),
    city("Budapest", "Budapest", 4750, 1904),
    city("Buenos Aires", "Buenos Aires", -3460, -5838),
    city("Cairo", "Kairo", 3004, 3124),
    city("Cape Town", "Kapstadt", -3393, 1842),
    city("Chicago", "Chicago", 4188, -8763),
    city("Cologne", "Köln", 5094, 696),
    city("Copenhagen", "Kopenhagen", 5568, 1257),
    city("Delhi", "Delhi", 2861, 7721),
    city("Dresden", "Dresden", 5105, 1374),
    city("Dublin", "Dublin", 5335, -626),
    city("Frankfurt", "Frankfurt", 5011, 868),
    city("Geneva", "Genf", 4620, 614),
    city("Graz", "Graz", 4707, 1544),
    city("Hamburg", "Hamburg", 5355, 999),
    city("Hanover", "Hannover", 5237, 973),
    city("Helsinki", "Helsinki", 6017, 2494),
    city("Hong Kong", "Hongkong", 2232, 11417),
    city("Istanbul", "Istanbul", 4101, 2898),
    city("Jakarta", "Jakarta", -621, 10685),
    city("Johannesburg", "Johannesburg", -2620, 2805),
    city("Kyiv", "Kyjiw", 5045, 3052),
    city("Lagos", "Lagos", 652, 338),
    city("Leipzig", "Leipzig", 5134, 1237),
    city("Lima", "Lima", -1205, -7704),
    city("Lisbon", "Lissabon", 3872, -914),
    city("London", "London", 5151, -13),
    city("Los Angeles", "Los Angeles", 3405, -11824),
    city("Lyon", "Lyon", 4576, 484),
    city("Madrid", "Madrid", 4042, -370),
    city("Manila", "Manila", 1460, 12098),
    city("Melbourne", "Melbourne", -3781, 14496),
    city("Mexico City", "Mexiko-Stadt", 1943, -9913),
    city("Milan", "Mailand", 4546, 919),
    city("Montreal", "Montreal", 4550, -7357),
    city("Mumbai", "Mumbai", 1908, 7288),
    city("Munich", "München", 4814, 1158),
    city("Nairobi", "Nairobi", -129, 3682),
    city("New York", "New York", 4071, -7401),
    city("Nuremberg", "Nürnberg", 4945, 1108),
    city("Oslo", "Oslo", 5991, 1075),
    city("Paris", "Paris", 4886, 235),
    city("Prague", "Prag", 5008, 1444),
    city("Rome", "Rom", 4190, 1250),
    city("San Francisco", "San Francisco", 3777, -12242),
    city("Santiago", "Santiago", -3345, -7067),
    city("São Paulo", "São Paulo", -2355, -4663),
    city("Seoul", "Seoul", 3757, 12698),
    city("Shanghai", "Schanghai", 3123, 12147),
    city("Singapore", "Singapur", 135, 10382),
    city("Sofia", "Sofia", 4270, 2332),
    city("Stockholm", "Stockholm", 5933, 1807),
    city("Stuttgart", "Stuttgart", 4878, 918),
    city("Sydney", "Sydney", -3387, 15121),
    city("Tokyo", "Tokio", 3569, 13969),
    city("Toronto", "Toronto", 4365, -7938),
    city("Vienna", "Wien", 4821, 1637),
    city("Warsaw", "Warschau", 5223, 2101),
    city("Zurich", "Zürich", 4738, 854),
];

/// Characters of geohash that a picked city stands for: a square of about 156 km.
const CHARACTERS: usize = 3;

/// Beyond this many degrees the nearest city says nothing about a square.
const NEAR: f64 = 6.0;

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

impl City {
    /// The square around it.
    #[must_use]
    pub fn place(&self) -> Place {
        let north = f64::from(self.north) / 100.0;
        let east = f64::from(self.east) / 100.0;
        Place {
            geohash: geohash(north, east, CHARACTERS),
            radius_m: 0,
        }
    }
}

/// The city of this English name, which is also what a form keeps.
#[must_use]
pub fn named(english: &str) -> Option<&'static City> {
    CITIES.iter().find(|city| city.english == english)
}

/// The city that a square is near to.
#[must_use]
pub fn nearest(place: &Place) -> Option<&'static City> {
    // A picked city is called by its name even if a neighbour is nearer to the middle of its square.
    if let Some(city) = CITIES.iter().find(|city| city.place() == *place) {
        return Some(city);
    }
    let (north, east) = middle(&place.geohash);
    let far = |city: &City| {
        let up = f64::from(city.north) / 100.0 - north;
        let mut along = (f64::from(city.east) / 100.0 - east).abs();
        if along > 180.0 {
            along = 360.0 - along;
        }
        let along = along * north.to_radians().cos();
        up * up + along * along
    };
    let near = CITIES.iter().min_by(|a, b| far(a).total_cmp(&far(b)))?;
    (far(near) <= NEAR * NEAR).then_some(near)
}

/// The geohash of a point: bits of longitude and latitude in turn, five to a character.
fn geohash(north: f64, east: f64, characters: usize) -> String {
    let (mut low_n, mut high_n, mut low_e, mut high_e) = (-90.0, 90.0, -180.0, 180.0);
    let mut eastward = true;
    let mut hash = String::with_capacity(characters);
    for _ in 0..characters {
        let mut digit = 0;
        for _ in 0..5 {
            let (value, low, high) = if eastward {
                (east, &mut low_e, &mut high_e)
            } else {
                (north, &mut low_n, &mut high_n)
            };
            let split: f64 = (*low + *high) / 2.0;
            let upper = value >= split;
            *(if upper { low } else { high }) = split;
            digit = digit << 1 | usize::from(upper);
            eastward = !eastward;
        }
        hash.push(char::from(ALPHABET[digit]));
    }
    hash
}

/// The middle of a square, in degrees north and east.
fn middle(geohash: &str) -> (f64, f64) {
    let (mut low_n, mut high_n, mut low_e, mut high_e) = (-90.0, 90.0, -180.0, 180.0);
    let mut eastward = true;
    for c in geohash.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == c).unwrap_or(0);
        for bit in (0..5).rev() {
            let (low, high) = if eastward {
                (&mut low_e, &mut high_e)
            } else {
                (&mut low_n, &mut high_n)
            };
            let split: f64 = (*low + *high) / 2.0;
            *(if digit >> bit & 1 == 1 { low } else { high }) = split;
            eastward = !eastward;
        }
    }
    (f64::midpoint(low_n, high_n), f64::midpoint(low_e, high_e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geohashes_are_those_that_everybody_computes() {
        // Published examples: Jutland is u4pruydqqvj, San Francisco 9q8yyk8.
        assert_eq!(geohash(57.64911, 10.40744, 11), "u4pruydqqvj");
        assert_eq!(geohash(37.7749, -122.4194, 7), "9q8yyk8");
        assert_eq!(named("Berlin").unwrap().place().geohash, "u33");
    }

    #[test]
    fn every_city_is_found_again_from_its_square_or_shares_the_square_with_the_one_found() {
        for city in &CITIES {
            let place = city.place();
            assert!(place.check().is_ok(), "{}", city.english);
            let found = nearest(&place).unwrap();
            assert_eq!(found.place(), place, "{}", city.english);
        }
    }

    #[test]
    fn a_finer_square_is_called_after_the_city_it_is_near_to_and_the_open_sea_after_none() {
        let place = |geohash: &str| Place {
            geohash: geohash.into(),
            radius_m: 0,
        };
        assert_eq!(nearest(&place("u33db")).unwrap().english, "Berlin");
        assert_eq!(nearest(&place("7zz")), None);
    }

    #[test]
    fn the_cities_are_sorted_so_that_one_finds_one() {
        let mut names: Vec<_> = CITIES.iter().map(|city| city.english).collect();
        let before = names.clone();
        names.sort_by_key(|name| name.replace('ã', "a"));
        assert_eq!(names, before);
    }
}
