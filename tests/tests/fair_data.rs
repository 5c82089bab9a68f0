//! The advertisements that the other tests trade on, and that the rule by which they become intents is a fair one.

use haggle_protocol::attribute::Fit;
use haggle_tests::Outcome;
use haggle_tests::data::Computers;

#[test]
fn the_advertisements_are_read_and_every_tenth_is_held_out() -> Outcome {
    let all = Computers::load()?;
    assert_eq!((all.offers.len(), all.wants.len()), (5_634, 625));
    let first = &all.offers[0];
    assert_eq!(
        (first.row, first.price, first.speed, first.memory),
        (1, 1499, 25, 4)
    );
    assert_eq!(all.wants[0].row, 10);
    Ok(())
}

#[test]
fn nearly_every_intent_is_answered_at_its_price_and_none_by_just_anything() -> Outcome {
    let all = Computers::load()?;
    let mut offers = Vec::new();
    for offer in &all.offers {
        offers.push((offer.price, offer.attributes()?));
    }
    let (mut at_its_price, mut for_more, mut by_nobody, mut pairs) = (0, 0, 0, 0);
    for want in &all.wants {
        let musts: Vec<_> = want
            .wishes()?
            .into_iter()
            .filter(|wish| wish.must)
            .collect();
        let answers = |has: &[_]| musts.iter().all(|wish| wish.fit(has) == Fit::Yes);
        let prices: Vec<_> = offers
            .iter()
            .filter(|(_, has)| answers(has))
            .map(|(price, _)| *price)
            .collect();
        pairs += prices.len();
        match prices.iter().min() {
            Some(least) if *least <= want.price => at_its_price += 1,
            Some(_) => for_more += 1,
            None => by_nobody += 1,
        }
    }
    assert_eq!((at_its_price, for_more, by_nobody), (621, 2, 2));
    // An offer answers between a twentieth and half of all intents.
    let all_pairs = all.wants.len() * all.offers.len();
    assert!(
        (all_pairs / 20..all_pairs / 2).contains(&pairs),
        "{pairs} of {all_pairs}"
    );
    Ok(())
}
