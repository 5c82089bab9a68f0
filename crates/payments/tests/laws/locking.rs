//! What a rail says of itself, keys, and locks: made once, found, and checked against a contract.

use haggle_payments::{Error, LockState, Locked, Outcome, Settlement, Signed};
use haggle_protocol::{
    Asset, Contract, Custodian, DealKey, MessageId, Money, Party, Side, Timestamp,
};

use super::{
    ALL, Bench, FAR, QUOTE, World, all_is_there, contract, deal, free, has, is_mismatch,
    is_unknown, lock, nothing_moved, split,
};

/// Whoever has no escrow says so, and answers everything about locks by that, moving nothing; whoever has it keeps to its bounds.
pub(crate) async fn what_a_rail_says_of_itself_is_so(bench: &impl Bench) {
    let world = bench.world(1_000).await;
    let able = world.rail(Party::Buyer).capabilities();
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    assert!((1..=16).contains(&able.name.len()) && able.name.bytes().all(fine));
    assert!(able.floor <= able.ceiling);
    for party in ALL {
        assert_eq!(world.rail(party).capabilities(), able);
    }
    if able.escrow {
        keeps_to_its_bounds(&world).await;
    } else {
        refuses_everywhere(&world).await;
    }
}

async fn keeps_to_its_bounds(world: &impl World) {
    let rail = world.rail(Party::Buyer);
    let able = rail.capabilities();
    let ceiling = able.ceiling;
    let large = contract(world, ceiling + 1, FAR);
    let refused = rail.lock(&deal(&large, Party::Buyer)).await;
    assert_eq!(refused, Err(Error::AboveCeiling { ceiling }));
    // A lock over nothing is none, wherever the floor is.
    for minor in [0, able.floor.saturating_sub(1)] {
        let small = contract(world, minor, FAR);
        let refused = rail.lock(&deal(&small, Party::Buyer)).await;
        assert!(
            matches!(refused, Err(Error::BelowFloor { .. } | Error::Damaged)),
            "{minor}: {refused:?}"
        );
    }
    all_is_there(world, 1_000, 0).await;
}

async fn refuses_everywhere(world: &impl World) {
    let key = |number: u8| DealKey([number; 33]);
    let contract = Contract {
        order: MessageId([4; 32]),
        custodian: world.purse().custodian,
        amount: Money::new(1, world.purse().asset),
        buyer: key(2),
        seller: key(3),
        arbiter: None,
        holder: Side::Buyer,
        deadline: Timestamp(1),
    };
    let told = Locked(Vec::new());
    let settlement = Settlement {
        contract: contract.id(),
        outcome: Outcome::Expired,
        salt: [0; 32],
        signatures: vec![Signed {
            party: Party::Buyer,
            signature: Vec::new(),
        }],
    };
    let before = world.outstanding().await;
    for party in ALL {
        let (rail, mine) = (world.rail(party), deal(&contract, party));
        let purses = rail.balance().await;
        let no = Some(Error::Unsupported);
        let given = settlement.clone();
        for (what, refused) in [
            ("key", rail.key(party, &QUOTE).err()),
            ("lock", rail.lock(&mine).await.err()),
            ("find", rail.find(&mine).await.err()),
            ("verify", rail.verify(&contract, &told).await.err()),
            (
                "propose",
                rail.propose(&mine, &told, split(0, 1, 0)).await.err(),
            ),
            ("cosign", rail.cosign(&mine, &told, given).await.err()),
            (
                "execute",
                rail.execute(&contract, &told, &settlement).await.err(),
            ),
            ("claim", rail.claim(&mine, &told, &settlement).await.err()),
            ("refund", rail.refund(&mine, &told).await.err()),
            ("status", rail.status(&contract, &told).await.err()),
        ] {
            assert_eq!(refused, no, "{what}, without escrow");
        }
        // It has left nothing undone, and moved nothing.
        assert_eq!(rail.recover().await, Ok(true));
        assert_eq!(rail.balance().await, purses);
    }
    assert_eq!(world.outstanding().await, before);
}

pub(crate) async fn a_quote_has_one_key_two_have_two_and_an_arbiter_has_one(bench: &impl Bench) {
    let mut world = bench.world(1_000).await;
    let quotes = [QUOTE, MessageId([8; 32])];
    let mut all = Vec::new();
    for party in ALL {
        let before = quotes.map(|quote| world.rail(party).key(party, &quote).unwrap());
        world.restart(party, None).await;
        let after = quotes.map(|quote| world.rail(party).key(party, &quote).unwrap());
        assert_eq!(after, before, "one quote, one key");
        let of_all = party == Party::Arbiter;
        assert_eq!(before[0] == before[1], of_all, "keys of {party:?}");
        all.extend(&before[..2 - usize::from(of_all)]);
        // The same person in another part, and somebody else in this one.
        for other in ALL.into_iter().filter(|other| *other != party) {
            all.push(world.rail(party).key(other, &QUOTE).unwrap());
        }
        all.push(world.stranger().key(party, &QUOTE).unwrap());
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a key that two have, or one has twice");
}

pub(crate) async fn a_lock_is_made_once_however_often_and_at_once_it_is_asked_for(
    bench: &impl Bench,
) {
    let mut world = bench.world(10_000).await;
    let contract = contract(&world, 4_000, FAR);
    let mine = deal(&contract, Party::Buyer);
    let rail = world.rail(Party::Buyer);
    let (one, other) = futures::join!(rail.lock(&mine), rail.lock(&mine));
    let locked = one.unwrap();
    assert_eq!(other.as_ref(), Ok(&locked), "two who ask at once");
    assert_eq!(rail.lock(&mine).await.as_ref(), Ok(&locked));
    world.restart(Party::Buyer, None).await;
    let rail = world.rail(Party::Buyer);
    assert_eq!(rail.lock(&mine).await.as_ref(), Ok(&locked));
    assert_eq!(rail.find(&mine).await, Ok(Some(locked.clone())));
    assert_eq!(free(&world, Party::Buyer).await, 6_000, "charged once");
    nothing_moved(&world, &contract, &locked, 10_000).await;
    // Another order is another lock.
    let next = Contract {
        order: MessageId([5; 32]),
        ..contract
    };
    let second = lock(&world, &next).await;
    assert_ne!(second, locked);
    all_is_there(&world, 10_000, 8_000).await;
}

pub(crate) async fn a_lock_is_its_buyer_s_to_make_out_of_what_he_has(bench: &impl Bench) {
    let world = bench.world(1_000).await;
    let large = contract(&world, 1_001, FAR);
    let refused = world
        .rail(Party::Buyer)
        .lock(&deal(&large, Party::Buyer))
        .await;
    let short = Error::NotEnough {
        have: 1_000,
        need: 1_001,
    };
    assert_eq!(refused, Err(short));
    let contract = contract(&world, 500, FAR);
    for party in [Party::Seller, Party::Arbiter] {
        for asked_as in [party, Party::Buyer] {
            let refused = world.rail(party).lock(&deal(&contract, asked_as)).await;
            assert_eq!(refused, Err(Error::NotYours), "{party:?} as {asked_as:?}");
        }
    }
    let stranger = world.stranger().lock(&deal(&contract, Party::Buyer)).await;
    assert_eq!(stranger, Err(Error::NotYours));
    all_is_there(&world, 1_000, 0).await;
}

pub(crate) async fn a_lock_is_found_or_there_is_none_and_asking_makes_none(bench: &impl Bench) {
    let world = bench.world(10_000).await;
    let contract = contract(&world, 4_000, FAR);
    let buyer = deal(&contract, Party::Buyer);
    let rail = world.rail(Party::Buyer);
    for _ in 0..2 {
        assert_eq!(rail.find(&buyer).await, Ok(None), "asking makes none");
    }
    all_is_there(&world, 10_000, 0).await;
    let seller = deal(&contract, Party::Seller);
    let said = world.rail(Party::Seller).find(&seller).await;
    assert_eq!(said, Err(Error::NotYours));
    world.answers(false);
    let said = rail.find(&buyer).await;
    assert!(is_unknown(&said), "nobody can tell, but: {said:?}");
    world.answers(true);
    let locked = rail.lock(&buyer).await.unwrap();
    assert_eq!(rail.find(&buyer).await, Ok(Some(locked.clone())));
    nothing_moved(&world, &contract, &locked, 10_000).await;
}

pub(crate) async fn what_is_not_locked_as_agreed_on_is_refused(bench: &impl Bench) {
    let world = bench.world(20_000).await;
    let contract = contract(&world, 9_000, FAR);
    let locked = lock(&world, &contract).await;
    let seller = world.rail(Party::Seller);
    for party in ALL {
        assert_eq!(world.rail(party).verify(&contract, &locked).await, Ok(()));
    }
    // The same money, told of as if it were locked for another order, elsewhere, in something else, for less or more, to other keys,
    // for another holder, or until another time.
    let stranger = world.stranger().key(Party::Buyer, &QUOTE).unwrap();
    let asset = contract.amount.asset;
    let other_asset = ["EUR", "USD"].map(|code| Asset::new(code).unwrap());
    let other_asset = other_asset.into_iter().find(|one| *one != asset).unwrap();
    let wrong = [
        Contract {
            order: MessageId([5; 32]),
            ..contract.clone()
        },
        Contract {
            custodian: Custodian::new("https://other.example").unwrap(),
            ..contract.clone()
        },
        Contract {
            amount: Money::new(9_000, other_asset),
            ..contract.clone()
        },
        Contract {
            amount: Money::new(9_001, asset),
            ..contract.clone()
        },
        Contract {
            amount: Money::new(8_999, asset),
            ..contract.clone()
        },
        Contract {
            buyer: stranger,
            ..contract.clone()
        },
        Contract {
            seller: stranger,
            ..contract.clone()
        },
        Contract {
            arbiter: Some(stranger),
            ..contract.clone()
        },
        Contract {
            arbiter: None,
            ..contract.clone()
        },
        Contract {
            holder: Side::Seller,
            ..contract.clone()
        },
        Contract {
            deadline: Timestamp(FAR.0 + 1),
            ..contract.clone()
        },
    ];
    for other in &wrong {
        let said = seller.verify(other, &locked).await;
        assert!(is_mismatch(&said), "{said:?} of {other:?}");
        // Nor is anything signed about it.
        let signed = seller
            .propose(&deal(other, Party::Seller), &locked, split(0, 9_000, 0))
            .await;
        assert!(is_mismatch(&signed), "{signed:?} of {other:?}");
    }
    // One that was made of another contract, and what is none at all.
    let short = Contract {
        amount: Money::new(8_999, asset),
        ..contract.clone()
    };
    let less = lock(&world, &short).await;
    for told in [less, Locked(Vec::new()), Locked(vec![0; Locked::MAX + 1])] {
        let said = seller.verify(&contract, &told).await;
        assert!(is_mismatch(&said), "{said:?} of {told:?}");
    }
    let state = seller.status(&contract, &locked).await;
    assert_eq!(state, Ok(LockState::Locked));
    assert_eq!(has(&seller, &world.purse()).await, (0, 0));
    all_is_there(&world, 20_000, 9_000 + 8_999).await;
}
