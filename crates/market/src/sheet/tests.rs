//! What is written is read back; what is wrong is told with its place; what other programs do to a table changes nothing.

use haggle_protocol::attribute::{Attribute, Value};
use haggle_protocol::category::Category;
use haggle_protocol::place::Place;
use haggle_protocol::taxonomy;
use haggle_protocol::{Asset, Money, Quantity, Unit};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::item::{DeliveryOffer, Item, ItemId, Tier};
use crate::stall::check_item;

const BIKES: &str = "\
sku,title,category,price,floor,currency,unit,stock,quality,answer,deliveries,note,is colour,is frame [CMT],is lights [yes/no]
road-56,\"Road bike, 56 cm\",bicycles,380,350,EUR,,2,good,firm,pickup | shipping 24.90 2d u33d,,blue,56,yes
saddle,Saddle,bicycles,1: 20 | 10: 17.50,,EUR,C62,,fine,,shipping 0 36h,Two in black.,,,
";

fn read_text(text: &str) -> Result<Vec<Item>, String> {
    read(text.as_bytes()).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn a_table_is_read_as_a_shopkeeper_would_write_it() {
    let items = read_text(BIKES).unwrap();
    let [bike, saddle] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(bike.id, ItemId::of_sku("road-56"));
    assert_eq!(bike.title, "Road bike, 56 cm");
    assert_eq!(bike.stock, Some(Quantity::pieces(2)));
    assert_eq!(bike.tiers.len(), 1);
    assert_eq!(bike.tiers[0].unit_price, 38_000);
    assert_eq!((bike.floor, saddle.floor), (Some(35_000), None));
    assert_eq!(bike.auto, Some(Auto::Firm));
    assert_eq!(bike.deliveries[1].fee, 2_490);
    assert_eq!(bike.deliveries[1].lead_time, 2 * 86_400);
    assert_eq!(bike.deliveries[1].area[0].geohash, "u33d");
    assert_eq!(bike.attributes.len(), 3);
    assert_eq!(saddle.tiers[1].unit_price, 1_750);
    assert_eq!(saddle.stock, None);
    assert_eq!(saddle.deliveries[0].lead_time, 129_600);
    assert_eq!(saddle.note.as_deref(), Some("Two in black."));
}

#[test]
fn what_other_programs_do_to_a_table_changes_nothing() {
    let plain = read_text(BIKES).unwrap();
    let windows = format!("\u{feff}{}", BIKES.replace('\n', "\r\n"));
    assert_eq!(read_text(&windows), Ok(plain.clone()));
    let quoted = "\"Road bike, 56 cm\"";
    let german = BIKES.replace(quoted, "@").replace(',', ";");
    let german = german
        .replace('@', "Road bike, 56 cm")
        .replace("17.50", "17,50")
        .replace("24.90", "24,90");
    assert_eq!(read_text(&german), Ok(plain.clone()));
    assert_eq!(read_text(&format!("sep=;\r\n{german}")), Ok(plain.clone()));
    assert_eq!(read_text(&format!("\r\n{german}")), Ok(plain.clone()));
    let tabs = BIKES.replace(quoted, "@").replace(',', "\t");
    let tabs = tabs.replace('@', "Road bike, 56 cm");
    assert_eq!(read_text(&tabs), Ok(plain.clone()));
    assert_eq!(read_text(&format!("sep=\t\n{tabs}")), Ok(plain.clone()));
    let loud = BIKES
        .replace("sku,title", "SKU, Title")
        .replace("is colour", "Is colour");
    assert_eq!(read_text(&loud), Ok(plain.clone()));
    assert_eq!(read_text(&format!("{BIKES}\n,,,,,,,,,,,,,\n")), Ok(plain));
}

#[test]
fn a_quotation_mark_that_nothing_closes_does_not_swallow_the_rest() {
    let open = BIKES.replace("\"Road bike, 56 cm\"", "\"Road bike");
    let mistakes = read(open.as_bytes()).unwrap_err();
    assert_eq!(mistakes.told[0].fault.code(), "not-a-table");
    let open = BIKES.replace("Two in black.", "\"Two in black.");
    let mistakes = read(open.as_bytes()).unwrap_err();
    assert_eq!(mistakes.told[0].fault.code(), "not-a-table");
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let wrong = BIKES.replace("Saddle", "");
    let noted = wrong.replacen("24.90 2d u33d,,", "24.90 2d u33d,\"a\nb\",", 1);
    for (text, line) in [
        (wrong.clone(), 3),
        (wrong.replace('\n', "\r\n"), 3),
        (format!("\n\n{wrong}"), 5),
        (format!("sep=,\r\n{}", wrong.replace('\n', "\r\n")), 4),
        (wrong.replacen('\n', "\n\n\n", 1), 5),
        (noted, 4),
    ] {
        let mistakes = read(text.as_bytes()).unwrap_err();
        assert_eq!(mistakes.told[0].line, line, "{text:?}");
        assert_eq!(mistakes.told[0].column, "title");
    }
}

#[test]
fn a_number_that_is_another_items_than_the_skus_is_told() {
    let head = "id,sku,title,category,price,currency,quality,deliveries\n";
    let row = |id: &str| format!("{head}{id},lamp,Lamp,0,5,EUR,good,pickup\n");
    let same = ItemId::of_sku("lamp").0.to_string();
    for id in ["", "0", same.as_str()] {
        assert_eq!(read_text(&row(id)).unwrap()[0].id, ItemId::of_sku("lamp"));
    }
    let mistakes = read(row("5").as_bytes()).unwrap_err();
    assert_eq!(mistakes.told[0].column, "id");
    let huge = format!("{head}18446744073709551615,,Lamp,0,5,EUR,good,pickup\n");
    let mistakes = read(huge.as_bytes()).unwrap_err();
    assert_eq!(mistakes.told[0].column, "id");
}

#[test]
fn every_mistake_is_told_with_its_line_and_column() {
    let broken = BIKES
        .replace(
            "bicycles,380,350,EUR,,2,good,firm",
            "bikes,\"3,8,0\",350,euro!,,two,great,perhaps",
        )
        .replace("blue,56,yes", "blue,tall,maybe")
        .replace("shipping 0 36h", "post")
        .replace("saddle,Saddle", "saddle,");
    let mistakes = read(broken.as_bytes()).unwrap_err();
    let told: Vec<_> = mistakes
        .told
        .iter()
        .map(|mistake| (mistake.line, mistake.column.as_str(), mistake.fault.code()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "is frame [CMT]", "not-a-quantity"),
            (2, "is lights [yes/no]", "not-a-word"),
            (2, "currency", "not-a-currency"),
            (2, "category", "no-category"),
            (2, "quality", "not-a-word"),
            (2, "answer", "not-a-word"),
            (2, "stock", "not-a-quantity"),
            (3, "title", "missing"),
            (3, "deliveries", "not-a-word"),
        ]
    );
    assert!(
        mistakes
            .to_string()
            .contains("line 2, category: there is no category \"bikes\""),
        "{mistakes}"
    );
}

#[test]
fn what_cannot_be_a_list_says_why() {
    let table: [(&[u8], &str); 12] = [
        (b"", "empty"),
        (b"title,price\n", "no-column"),
        (b"[]", "empty"),
        (b"[{\"title\": 3}]", "not-json"),
        (b"{\"items\": []}", "not-json"),
        (b"M\xfcller,title\n", "not-utf8"),
        (b"sku,sku,title,category,price,currency,quality,deliveries\n", "column-twice"),
        (b"prize,title,category,price,currency,quality,deliveries\n", "unknown-column"),
        (b"is x [cm!],title,category,price,currency,quality,deliveries\n", "not-a-unit"),
        (
            b"title,category,price,currency,quality,deliveries\nLamp,lamps,5,EUR,good,pickup,more\n",
            "no-such-column",
        ),
        (
            b"id,title,category,price,currency,quality,deliveries\n-3,Lamp,0,5,EUR,good,pickup\n",
            "not-an-id",
        ),
        (
            b"title,category,price,currency,quality,deliveries\nLamp,0,5,EUR,good,shipping 2 soon\n",
            "not-a-time",
        ),
    ];
    for (bytes, code) in table {
        let mistakes = read(bytes).unwrap_err();
        assert_eq!(mistakes.told[0].fault.code(), code, "{mistakes}");
    }
}

#[test]
fn the_same_item_twice_is_told_with_the_line_of_the_first() {
    let twice = format!("{BIKES}{}\n", BIKES.lines().nth(1).unwrap());
    let mistakes = read(twice.as_bytes()).unwrap_err();
    assert_eq!(
        mistakes.to_string(),
        "line 4, sku: this stands in line 2 already"
    );
}

#[test]
fn what_a_stall_would_not_take_is_told_before_it_is_put_there() {
    let long = BIKES.replace("Saddle", &"x".repeat(130));
    let mistakes = read(long.as_bytes()).unwrap_err();
    assert_eq!(mistakes.told[0].fault.code(), "bad-item");
    assert_eq!(
        (mistakes.told[0].line, mistakes.told[0].column.as_str()),
        (3, "title")
    );
}

#[test]
fn a_list_of_nothing_but_mistakes_tells_a_hundred_and_counts_the_rest() {
    let mut text = String::from("title,category,price,currency,quality,deliveries\n");
    for _ in 0..300 {
        text.push_str("Lamp,0,dear,EUR,good,pickup\n");
    }
    let mistakes = read(text.as_bytes()).unwrap_err();
    assert_eq!((mistakes.told.len(), mistakes.more), (100, 200));
}

#[test]
fn no_cell_that_is_written_is_a_formula() {
    let mut items = read_text(BIKES).unwrap();
    for (item, title) in items.iter_mut().zip(["=1+1", "@SUM(A1)"]) {
        item.title = title.to_owned();
        item.note = Some("-2".to_owned());
        item.sku = Some(format!("+{title}"));
        item.id = ItemId::of_sku(&format!("+{title}"));
        item.attributes[..].iter_mut().for_each(|it| {
            if matches!(it.value, Value::Text(_)) {
                it.value = Value::Text("'=2".to_owned());
            }
        });
    }
    let text = csv(&items).unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(!cell.starts_with(FORMULA), "{cell}");
        }
    }
    assert_eq!(read_text(&text), Ok(items));
}

fn line_of(letters: &'static str) -> impl Strategy<Value = String> {
    proptest::string::string_regex(letters)
        .unwrap()
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("a line", |text| !text.is_empty())
}

fn quantity(unit: Unit) -> impl Strategy<Value = Quantity> {
    (0..10_000_000_u64, 0..=6_u8).prop_map(move |(n, scale)| Quantity { n, scale, unit })
}

fn value() -> impl Strategy<Value = Value> {
    let units = select(vec![
        Unit::ONE,
        Unit::new("CMT").unwrap(),
        Unit::new("KGM").unwrap(),
    ]);
    prop_oneof![
        line_of("[='@ a-zäß\",;|0-9]{1,20}").prop_map(Value::Text),
        any::<bool>().prop_map(Value::Flag),
        units.prop_flat_map(|unit| quantity(unit).prop_map(Value::Measure)),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    (line_of("[0-9bcdefg]{1,5}"), 0..50_000_u32)
        .prop_map(|(geohash, radius_m)| Place { geohash, radius_m })
}

fn offer() -> impl Strategy<Value = DeliveryOffer> {
    let ways = select(WAYS.map(|(way, _)| way).to_vec());
    (ways, vec(place(), 0..3), 0..100_000_u64, 0..3_000_000_u32).prop_map(
        |(delivery, area, fee, lead_time)| DeliveryOffer {
            delivery,
            area,
            fee,
            lead_time,
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    let units = select(vec![Unit::ONE, Unit::new("HUR").unwrap()]);
    let assets = select(vec!["EUR", "JPY", "KWD"]);
    let slugs: Vec<Category> = [0, 150_101, 999_999]
        .map(Category)
        .into_iter()
        .filter(|category| taxonomy::node(*category).is_some() || category.0 == 0)
        .collect();
    let named = (of(line_of("[-=+@'a-z0-9]{1,12}")), 0..1_000_u64);
    let texts = (
        line_of("[-=+@'\",;|\\[a-zA-Zäß0-9 ]{1,40}"),
        of(line_of("[-=+@'\",;|a-z \n]{1,60}")),
    );
    let sorts = (
        select(slugs),
        select(QUALITIES.map(|(quality, _)| quality).to_vec()),
        of(select(ANSWERS.map(|(auto, _)| auto).to_vec())),
    );
    let bulk = (units, assets).prop_flat_map(|(unit, code)| {
        let asset = Asset::new(code).unwrap();
        let tiers = btree_map(0..10_000_u64, 0..Money::MAX, 1..5);
        (
            Just(unit),
            Just(asset),
            of(quantity(unit)),
            tiers,
            any::<bool>(),
        )
    });
    let attributes = btree_map("[a-z]{2,8}", value(), 0..4);
    (named, texts, sorts, bulk, attributes, vec(offer(), 1..4)).prop_map(
        |(
            (sku, number),
            (title, note),
            (category, quality, auto),
            bulk,
            attributes,
            deliveries,
        )| {
            let (unit, asset, stock, tiers, has_floor) = bulk;
            let cheapest = tiers.values().copied().min();
            let floor = cheapest.map(|price| price / 3).filter(|_| has_floor);
            let tier = |(n, unit_price)| Tier {
                from: Quantity { n, scale: 1, unit },
                unit_price,
            };
            Item {
                id: sku.as_deref().map_or(ItemId(number), ItemId::of_sku),
                sku,
                title,
                category,
                attributes: attributes
                    .into_iter()
                    .map(|(key, value)| Attribute { key, value })
                    .collect(),
                unit,
                stock,
                asset,
                floor,
                tiers: tiers.into_iter().map(tier).collect(),
                quality,
                deliveries,
                note,
                auto,
            }
        },
    )
}

/// Items that one stall can hold together, with their properties in the order in which a table has them.
fn stall() -> impl Strategy<Value = Vec<Item>> {
    vec(item(), 1..6).prop_map(|mut items| {
        let mut seen = std::collections::BTreeSet::new();
        items.retain(|item| check_item(item).is_ok() && (item.id.0 == 0 || seen.insert(item.id)));
        items
    })
}

/// Columns stand in the order of their names, so what an item has is read back in that order.
fn in_columns_order(items: &[Item]) -> Vec<Item> {
    let mut items = items.to_vec();
    for item in &mut items {
        item.attributes.sort_by(|a, b| a.key.cmp(&b.key));
    }
    items
}

proptest! {
    #[test]
    fn whatever_a_stall_holds_is_read_back_from_what_is_written(items in stall()) {
        prop_assume!(!items.is_empty());
        let read_csv = read_text(&csv(&items).unwrap()).map(|items| in_columns_order(&items));
        prop_assert_eq!(read_csv, Ok(in_columns_order(&items)));
        prop_assert_eq!(read_text(&json(&items)), Ok(items));
    }

    #[test]
    fn any_bytes_are_a_list_or_say_why_not(bytes in vec(any::<u8>(), 0..400), cut in 0..BIKES.len()) {
        let _ = read(&bytes);
        let mut text = BIKES.as_bytes().to_vec();
        text.splice(cut..cut, bytes);
        if let Err(mistakes) = read(&text) {
            prop_assert!(!mistakes.told.is_empty());
        }
    }
}
