//! Orders against a model that adds up every order anew.

use book::{OrderError, Orders};
use market::{Level, Price, Qty, Side};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy)]
enum Step {
    Add(u64, Side, i64, u64),
    Modify(u64, i64, u64),
    Reduce(u64, u64),
    ClearSide(Side),
    Clear,
    Tell,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    let step = prop_oneof![
        6 => (0..12_u64, side.clone(), 1..6_i64, 0..9_u64).prop_map(|(id, side, price, qty)| Step::Add(id, side, price, qty)),
        4 => (0..12_u64, 1..6_i64, 0..9_u64).prop_map(|(id, price, qty)| Step::Modify(id, price, qty)),
        4 => (0..12_u64, 0..9_u64).prop_map(|(id, qty)| Step::Reduce(id, qty)),
        1 => side.prop_map(Step::ClearSide),
        1 => Just(Step::Clear),
        4 => Just(Step::Tell),
    ];
    proptest::collection::vec(step, 0..80)
}

type Model = BTreeMap<u64, (Side, i64, u64)>;

fn levels(model: &Model) -> [BTreeMap<i64, u64>; 2] {
    let mut levels = [BTreeMap::new(), BTreeMap::new()];
    for &(side, price, qty) in model.values() {
        *levels[side.index()].entry(price).or_default() += qty;
    }
    levels
}

/// What the model says of a step, if it can be.
fn take(model: &mut Model, step: Step) -> Result<(), OrderError> {
    match step {
        Step::Add(id, ..) if model.contains_key(&id) => Err(OrderError::Taken(id)),
        Step::Modify(id, ..) | Step::Reduce(id, _) if !model.contains_key(&id) => {
            Err(OrderError::Unknown(id))
        }
        Step::Reduce(id, by) if model[&id].2 < by => Err(OrderError::TooMuch(id)),
        Step::Add(id, side, price, qty) => {
            model.insert(id, (side, price, qty));
            Ok(())
        }
        Step::Modify(id, price, qty) => {
            let side = model[&id].0;
            model.insert(id, (side, price, qty));
            Ok(())
        }
        Step::Reduce(id, by) => {
            model.entry(id).and_modify(|order| order.2 -= by);
            Ok(())
        }
        Step::ClearSide(side) => {
            model.retain(|_, order| order.0 != side);
            Ok(())
        }
        Step::Clear => {
            model.clear();
            Ok(())
        }
        Step::Tell => Ok(()),
    }
}

fn apply(orders: &mut Orders, step: Step) -> Result<(), OrderError> {
    match step {
        Step::Add(id, side, price, qty) => orders.add(id, side, Price(price), Qty(qty)),
        Step::Modify(id, price, qty) => orders.modify(id, Price(price), Qty(qty)),
        Step::Reduce(id, by) => orders.reduce(id, Qty(by)),
        Step::ClearSide(side) => {
            orders.clear_side(side);
            Ok(())
        }
        Step::Clear => {
            orders.clear();
            Ok(())
        }
        Step::Tell => Ok(()),
    }
}

proptest! {
    #[test]
    fn changes_lead_from_each_sum_of_the_orders_to_the_next(steps in steps()) {
        let (mut orders, mut model, mut told) = (Orders::default(), Model::new(), levels(&Model::new()));
        for step in steps.into_iter().chain([Step::Tell]) {
            prop_assert_eq!(apply(&mut orders, step), take(&mut model, step));
            model.retain(|_, order| order.2 > 0);
            prop_assert_eq!(orders.len(), model.len());
            let wanted = levels(&model);
            for side in Side::BOTH {
                let mut held: Vec<_> = orders.levels().iter(side).map(|level| (level.price.0, level.qty.0)).collect();
                held.sort_unstable();
                prop_assert_eq!(&held, &wanted[side.index()].clone().into_iter().collect::<Vec<_>>());
            }
            if matches!(step, Step::Tell) {
                for (side, Level { price, qty }) in orders.take_changes() {
                    let before = told[side.index()].remove(&price.0).unwrap_or(0);
                    prop_assert_ne!(before, qty.0, "a level that is as it was is no change");
                    if qty.0 > 0 {
                        told[side.index()].insert(price.0, qty.0);
                    }
                }
                prop_assert_eq!(&told, &wanted);
            }
        }
    }
}

#[test]
fn what_cannot_be_changes_nothing() {
    let mut orders = Orders::default();
    orders.add(1, Side::Ask, Price(5), Qty(u64::MAX)).unwrap();
    orders.add(2, Side::Ask, Price(6), Qty(3)).unwrap();
    assert_eq!(orders.take_changes().count(), 2);
    assert_eq!(orders.add(3, Side::Ask, Price(5), Qty(1)), Err(OrderError::TooLarge(3)));
    assert_eq!(orders.modify(2, Price(5), Qty(3)), Err(OrderError::TooLarge(2)));
    assert_eq!(orders.reduce(2, Qty(4)), Err(OrderError::TooMuch(2)));
    assert_eq!(orders.take_changes().count(), 0);
    assert_eq!((orders.len(), orders.levels().qty_at(Side::Ask, Price(6))), (2, Qty(3)));
}
