//! In which order quotes are shown to their buyer, and why.
//!
//! Each quote is worth its total, adjusted: better quality makes it cheaper, a longer wait and missed wishes make it
//! dearer, in proportion to the total, so that the same judgement holds for a coffee and for a car. Every step is exact and
//! every quote is judged by itself alone, so the order does not depend on who else quoted or on who came first, and a
//! quote that is worse in nothing never ranks below.

use haggle_protocol::attribute::{Fit, Wish};
use haggle_protocol::quote::{Quality, Quote};
use haggle_protocol::{MessageId, Money, Quantity, Timestamp};

use crate::command::Taste;
use crate::view::Reason;

/// A quote to be ranked.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The message that held it: the last tie-breaker.
    pub message: MessageId,
    /// What it says.
    pub quote: &'a Quote,
    /// Whether it can be taken now.
    pub standing: bool,
    /// When it came.
    pub received: Timestamp,
}

/// What the buyer looks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it must or should be like.
    pub wishes: &'a [Wish],
    /// How much of it.
    pub quantity: Quantity,
    /// The most he pays, if he said so, to himself or to all.
    pub limit: Option<Money>,
    /// What matters to him.
    pub taste: Taste,
}

/// What each grade of quality makes of the total, in thousandths: about 8 % a grade, the difference at which people
/// begin to take the better one.
const QUALITY: [u128; 5] = [1_160, 1_080, 1_000, 920, 850];
/// What a day of waiting adds to the total, in thousandths.
const DAY: u128 = 10;
/// What a wish adds that should hold and does not, in thousandths.
const SHOULD_NOT: u128 = 50;
/// What a wish adds that should hold and is not stated.
const SHOULD_UNKNOWN: u128 = 30;
/// What a wish adds that must hold and does not.
const MUST_NOT: u128 = 300;
/// What a wish adds that must hold and is not stated.
const MUST_UNKNOWN: u128 = 100;
/// Seconds in a day.
const DAY_SECONDS: u128 = 24 * 60 * 60;

/// By what one quote stands before another: the lower, the better. The fields compare one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    over: bool,
    over_limit: bool,
    taste: [u128; 2],
    cost: u128,
    total: u64,
    lesser_quality: u8,
    lead_time: u32,
    misses: u128,
    indicative: bool,
    received: Timestamp,
    message: MessageId,
}

/// The quotes in rank order, as indices into `candidates`, each with its reasons. All must be of one currency: the
/// door refuses others.
#[must_use]
pub fn rank(candidates: &[Candidate<'_>], wanted: &Wanted<'_>) -> Vec<(usize, Vec<Reason>)> {
    let mut order: Vec<(Standing, usize)> = candidates
        .iter()
        .enumerate()
        .map(|(at, candidate)| (standing(candidate, wanted), at))
        .collect();
    order.sort_unstable();
    let field = Field::of(candidates);
    order
        .into_iter()
        .map(|(_, at)| (at, reasons(&candidates[at], wanted, &field)))
        .collect()
}

fn standing(candidate: &Candidate<'_>, wanted: &Wanted<'_>) -> Standing {
    let quote = candidate.quote;
    let misses = misses(quote, wanted.wishes).1;
    let grade = quote.quality.grade();
    let by_quality = QUALITY[usize::from(grade.clamp(1, 5) - 1)];
    // total · quality · wait · wishes, exact: at most 2^53 · 2^11 · 2^39 · 2^16 < 2^128.
    let wait = DAY_SECONDS * 1_000 + u128::from(quote.lead_time) * DAY;
    let cost = whole(quote, wanted.quantity)
        .saturating_mul(by_quality)
        .saturating_mul(wait)
        .saturating_mul(1_000 + misses);
    let total = quote.total.minor;
    let lesser_quality = 5 - grade.min(5);
    let taste = match wanted.taste {
        Taste::Balanced => [0, 0],
        Taste::Cheapest => [whole(quote, wanted.quantity), 0],
        Taste::Fastest => [u128::from(quote.lead_time), 0],
        Taste::Best => [u128::from(lesser_quality), misses],
    };
    Standing {
        over: !candidate.standing,
        over_limit: over_limit(quote, wanted.limit).is_some(),
        taste,
        cost,
        total,
        lesser_quality,
        lead_time: quote.lead_time,
        misses,
        indicative: !quote.firm,
        received: candidate.received,
        message: candidate.message,
    }
}

/// What all of the wanted quantity would cost at this rate, if less of it is offered; the total otherwise. Rounded up.
fn whole(quote: &Quote, wanted: Quantity) -> u128 {
    let total = u128::from(quote.total.minor);
    let [line] = quote.lines.as_slice() else {
        return total;
    };
    if line
        .quantity
        .partial_cmp(&wanted)
        .is_some_and(core::cmp::Ordering::is_lt)
    {
        let offered = line.quantity.micros().max(1);
        return total
            .saturating_mul(wanted.micros())
            .div_ceil(offered)
            .min(u128::from(u64::MAX));
    }
    total
}

/// Wishes that are not met or not stated, and what that adds to the total, in thousandths.
fn misses(quote: &Quote, wishes: &[Wish]) -> (u32, u128) {
    let attributes = quote.lines.first().map_or(&[][..], |line| &line.attributes);
    wishes.iter().fold((0, 0), |(count, cost), wish| {
        match (wish.fit(attributes), wish.must) {
            (Fit::Yes, _) => (count, cost),
            (Fit::No, true) => (count + 1, cost + MUST_NOT),
            (Fit::Unknown, true) => (count + 1, cost + MUST_UNKNOWN),
            (Fit::No, false) => (count + 1, cost + SHOULD_NOT),
            (Fit::Unknown, false) => (count + 1, cost + SHOULD_UNKNOWN),
        }
    })
}

fn over_limit(quote: &Quote, limit: Option<Money>) -> Option<Money> {
    let over = quote.total.checked_sub(limit?)?;
    (over.minor > 0).then_some(over)
}

/// What the standing quotes are like together: what a single one is compared with in its reasons.
struct Field<'a> {
    count: usize,
    cheapest: Option<&'a Quote>,
    best: Option<Quality>,
    worst: Option<Quality>,
    fastest: Option<u32>,
    slowest: Option<u32>,
}

impl<'a> Field<'a> {
    fn of(candidates: &[Candidate<'a>]) -> Self {
        let standing = || candidates.iter().filter(|candidate| candidate.standing);
        let quotes = || standing().map(|candidate| candidate.quote);
        let cheapest = standing().min_by_key(|candidate| {
            let quote = candidate.quote;
            (
                quote.total.minor,
                5 - quote.quality.grade().min(5),
                quote.lead_time,
                candidate.message,
            )
        });
        Self {
            count: quotes().count(),
            cheapest: cheapest.map(|candidate| candidate.quote),
            best: quotes().map(|quote| quote.quality).max(),
            worst: quotes().map(|quote| quote.quality).min(),
            fastest: quotes().map(|quote| quote.lead_time).min(),
            slowest: quotes().map(|quote| quote.lead_time).max(),
        }
    }
}

fn reasons(candidate: &Candidate<'_>, wanted: &Wanted<'_>, field: &Field<'_>) -> Vec<Reason> {
    let quote = candidate.quote;
    if !candidate.standing {
        return vec![Reason::NotStanding];
    }
    let mut reasons = Vec::new();
    reasons.extend(over_limit(quote, wanted.limit).map(|by| Reason::OverLimit { by }));
    if field.count == 1 {
        reasons.push(Reason::Only);
    } else if let Some(cheapest) = field.cheapest {
        reasons.extend(compared(quote, cheapest, field));
    }
    if !wanted.wishes.is_empty() {
        reasons.push(match misses(quote, wanted.wishes).0 {
            0 => Reason::AllWishes,
            count => Reason::MissesWishes { count },
        });
    }
    if quote.firm {
        reasons.push(Reason::Firm);
    }
    reasons
}

/// A quote beside the others: first its price, then quality, then time. What is the same everywhere is no reason.
fn compared(quote: &Quote, cheapest: &Quote, field: &Field<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let dearer = quote
        .total
        .checked_sub(cheapest.total)
        .filter(|by| by.minor > 0);
    reasons.push(dearer.map_or(Reason::Cheapest, |by| Reason::DearerBy { by }));
    if dearer.is_some() && quote.quality > cheapest.quality {
        reasons.push(Reason::BetterThanCheapest {
            quality: quote.quality,
            cheapest: cheapest.quality,
        });
    } else if field.best != field.worst {
        match field.best {
            Some(best) if best > quote.quality => {
                reasons.push(Reason::LesserQuality {
                    quality: quote.quality,
                    best,
                });
            }
            Some(_) => reasons.push(Reason::BestQuality {
                quality: quote.quality,
            }),
            None => {}
        }
    }
    if dearer.is_some() && quote.lead_time < cheapest.lead_time {
        let seconds = cheapest.lead_time - quote.lead_time;
        reasons.push(Reason::SoonerThanCheapest { seconds });
    } else if field.fastest != field.slowest {
        match field.fastest {
            Some(fastest) if fastest < quote.lead_time => {
                reasons.push(Reason::SlowerBy {
                    seconds: quote.lead_time - fastest,
                });
            }
            Some(_) => reasons.push(Reason::Fastest {
                lead_time: quote.lead_time,
            }),
            None => {}
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_protocol::attribute::{Attribute, Comparison, Value};
    use haggle_protocol::intent::Delivery;
    use haggle_protocol::quote::Line;
    use haggle_protocol::{Asset, FrameId};
    use proptest::prelude::*;

    fn eur() -> Asset {
        Asset::new("EUR").unwrap()
    }

    fn quote(total: u64, grade: u8, lead_time: u32, firm: bool, has: bool) -> Quote {
        let attributes = has.then(|| Attribute {
            key: "lamp".into(),
            value: Value::Flag(true),
        });
        Quote {
            number: 1,
            answers: FrameId([0; 32]),
            firm,
            lines: vec![Line {
                description: "A bicycle".into(),
                quantity: Quantity::pieces(1),
                unit_price: total,
                amount: total,
                attributes: attributes.into_iter().collect(),
            }],
            charges: Vec::new(),
            total: Money::new(total, eur()),
            valid_until: Timestamp(1_000),
            lead_time,
            delivery: Delivery::Shipping,
            quality: Quality::from_grade(grade).unwrap(),
            note: None,
            keepers: Vec::new(),
            arbiters: Vec::new(),
        }
    }

    fn lamp(must: bool) -> Vec<Wish> {
        vec![Wish {
            key: "lamp".into(),
            comparison: Comparison::Is,
            value: Value::Flag(true),
            must,
        }]
    }

    fn names(quotes: &[Quote], wanted: &Wanted<'_>) -> Vec<usize> {
        let candidates: Vec<_> = (0..)
            .zip(quotes)
            .map(|(at, quote)| as_candidate(at, quote))
            .collect();
        rank(&candidates, wanted)
            .into_iter()
            .map(|(at, _)| at)
            .collect()
    }

    fn as_candidate(at: u8, quote: &Quote) -> Candidate<'_> {
        Candidate {
            message: MessageId([at; 32]),
            quote,
            standing: true,
            received: Timestamp(0),
        }
    }

    fn wanted(wishes: &[Wish], taste: Taste) -> Wanted<'_> {
        let limit = Some(Money::new(60_000, eur()));
        Wanted {
            wishes,
            quantity: Quantity::pieces(1),
            limit,
            taste,
        }
    }

    #[test]
    fn each_taste_puts_its_own_first_and_balance_weighs_all_three() {
        let quotes = [
            quote(40_000, 2, 5 * 86_400, false, true),
            quote(41_200, 4, 3 * 86_400, false, true),
            quote(55_000, 5, 2 * 86_400, false, true),
            quote(50_000, 3, 3_600, false, true),
        ];
        let first = |taste| names(&quotes, &wanted(&[], taste))[0];
        assert_eq!(first(Taste::Cheapest), 0);
        assert_eq!(first(Taste::Balanced), 1);
        assert_eq!(first(Taste::Best), 2);
        assert_eq!(first(Taste::Fastest), 3);
    }

    #[test]
    fn what_is_above_the_limit_or_over_comes_last_and_says_so() {
        let quotes = [
            quote(60_001, 5, 0, true, true),
            quote(59_000, 1, 900_000, false, false),
        ];
        assert_eq!(
            names(&quotes, &wanted(&lamp(false), Taste::Best)),
            vec![1, 0]
        );
        let mut candidates: Vec<_> = (0..)
            .zip(&quotes)
            .map(|(at, quote)| as_candidate(at, quote))
            .collect();
        let wishes = lamp(false);
        let ranked = rank(&candidates, &wanted(&wishes, Taste::Balanced));
        assert_eq!(
            ranked[1].1[0],
            Reason::OverLimit {
                by: Money::new(1, eur())
            }
        );
        assert!(ranked[0].1.contains(&Reason::MissesWishes { count: 1 }));
        candidates[1].standing = false;
        let ranked = rank(&candidates, &wanted(&[], Taste::Balanced));
        assert_eq!(
            (ranked[1].0, ranked[1].1.as_slice()),
            (1, &[Reason::NotStanding][..])
        );
        assert_eq!(ranked[0].1[1], Reason::Only);
    }

    #[test]
    fn less_than_was_asked_for_is_not_cheaper_for_it() {
        let mut half = quote(30_000, 3, 0, false, true);
        half.lines[0].quantity = Quantity::pieces(1);
        let mut whole = quote(50_000, 3, 0, false, true);
        whole.lines[0].quantity = Quantity::pieces(2);
        let two = Wanted {
            quantity: Quantity::pieces(2),
            ..wanted(&[], Taste::Balanced)
        };
        assert_eq!(names(&[half.clone(), whole.clone()], &two), vec![1, 0]);
        let cheap = Wanted {
            taste: Taste::Cheapest,
            ..two
        };
        assert_eq!(names(&[half, whole], &cheap), vec![1, 0]);
    }

    #[test]
    fn reasons_read_like_sentences() {
        let texts = [
            (
                Reason::DearerBy {
                    by: Money::new(1_200, eur()),
                },
                "12.00 EUR more than the cheapest",
            ),
            (
                Reason::SoonerThanCheapest { seconds: 172_800 },
                "2 days sooner",
            ),
            (
                Reason::SlowerBy { seconds: 5_400 },
                "2 hours later than the fastest",
            ),
            (
                Reason::Fastest { lead_time: 60 },
                "There first: in 1 minute",
            ),
            (
                Reason::MissesWishes { count: 2 },
                "2 wishes are not met or not stated",
            ),
        ];
        for (reason, text) in texts {
            assert_eq!(reason.to_string(), text);
        }
    }

    fn any_quote() -> impl Strategy<Value = Quote> {
        (
            1..90_000_u64,
            1..=5_u8,
            0..2_000_000_u32,
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(total, grade, lead, firm, has)| quote(total, grade, lead, firm, has))
    }

    fn any_taste() -> impl Strategy<Value = Taste> {
        prop_oneof![
            Just(Taste::Balanced),
            Just(Taste::Cheapest),
            Just(Taste::Fastest),
            Just(Taste::Best)
        ]
    }

    proptest! {
        #[test]
        fn the_order_does_not_depend_on_the_order_in_which_quotes_came_in(
            quotes in prop::collection::vec(any_quote(), 1..12),
            taste in any_taste(),
            must in any::<bool>(),
            turn in 0..12_usize,
        ) {
            let wishes = lamp(must);
            let wanted = wanted(&wishes, taste);
            let candidates: Vec<_> = (0..).zip(&quotes).map(|(at, quote)| as_candidate(at, quote)).collect();
            let mut turned = candidates.clone();
            turned.rotate_left(turn % quotes.len());
            let ids = |candidates: &[Candidate<'_>]| -> Vec<(MessageId, Vec<Reason>)> {
                rank(candidates, &wanted)
                    .into_iter()
                    .map(|(at, reasons)| (candidates[at].message, reasons))
                    .collect()
            };
            prop_assert_eq!(ids(&candidates), ids(&turned));
        }

        #[test]
        fn who_else_quoted_does_not_change_which_of_two_stands_first(
            quotes in prop::collection::vec(any_quote(), 3..8),
            taste in any_taste(),
        ) {
            let wanted = wanted(&[], taste);
            let all = names(&quotes, &wanted);
            let two = names(&quotes[..2], &wanted);
            let place = |at: usize| all.iter().position(|other| *other == at);
            prop_assert_eq!(two[0] == 0, place(0) < place(1));
        }

        #[test]
        fn a_quote_that_is_worse_in_nothing_never_ranks_below(
            better in any_quote(),
            more in 0..10_000_u64, lesser in 0..5_u8, later in 0..100_000_u32,
            taste in any_taste(),
            must in any::<bool>(),
        ) {
            let grade = better.quality.grade().saturating_sub(lesser).max(1);
            let had = !better.lines[0].attributes.is_empty();
            let worse = quote(better.total.minor + more, grade, better.lead_time + later, false, had && more % 2 == 0);
            let wishes = lamp(must);
            let order = names(&[better.clone(), worse.clone()], &wanted(&wishes, taste));
            prop_assert_eq!(order[0], 0);
            let mut candidates = [as_candidate(1, &better), as_candidate(0, &worse)];
            candidates[0].received = Timestamp(5);
            if better != worse {
                candidates[1].received = Timestamp(5);
                let ranked = rank(&candidates, &wanted(&wishes, taste));
                prop_assert_eq!(ranked[0].0, 0, "even where the last tie-breaker speaks for the other");
            }
        }
    }
}
