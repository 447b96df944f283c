//! The instruments: what is traded, and of what.

use crate::dialect::{
    assets::assets,
    json::{push, push_number, push_text},
};
use market::{Instrument, Instruments, Status};

/// Appends the message that tells all of them.
pub fn push_instruments(out: &mut Vec<u8>, instruments: &Instruments) {
    push(out, "{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{\"assets\":[");
    let mut opening = "{\"id\":";
    for (asset, precision) in all_assets(instruments) {
        push_text(out, opening, asset);
        push_number(out, ",\"status\":\"enabled\",\"precision\":", u64::from(precision));
        push_number(out, ",\"precision_display\":", u64::from(precision));
        push(out, ",\"borrowable\":false,\"collateral_value\":0.0,\"margin_rate\":0.0,\"multiplier\":1}");
        opening = ",{\"id\":";
    }
    push(out, "],\"pairs\":[");
    for (at, (_, instrument)) in instruments.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_pair(out, instrument);
    }
    push(out, "]}}");
}

fn push_pair(out: &mut Vec<u8>, instrument: &Instrument) {
    let (base, quote) = assets(instrument);
    let (price_precision, qty_precision) =
        (u64::from(instrument.price_decimals), u64::from(instrument.qty_decimals));
    push_text(out, "{\"symbol\":", &instrument.symbol);
    push_text(out, ",\"base\":", base);
    push_text(out, ",\"quote\":", quote);
    push(
        out,
        match instrument.status {
            Status::Trading => ",\"status\":\"online\"",
            Status::Halted => ",\"status\":\"cancel_only\"",
        },
    );
    push_number(out, ",\"qty_precision\":", qty_precision);
    push(out, ",\"qty_increment\":");
    push(out, &instrument.lot_text());
    push_number(out, ",\"price_precision\":", price_precision);
    push_number(out, ",\"cost_precision\":", price_precision);
    push(out, ",\"marginable\":false,\"has_index\":false,\"cost_min\":0.0,\"tick_size\":");
    push(out, &instrument.tick_text());
    push(out, ",\"price_increment\":");
    push(out, &instrument.tick_text());
    push(out, ",\"qty_min\":");
    push(out, &instrument.lot_text());
    out.push(b'}');
}

/// Each asset of any pair once, in their order, with the decimals in which it is counted.
pub(super) fn all_assets(instruments: &Instruments) -> Vec<(&str, u8)> {
    let mut all: Vec<(&str, u8)> = Vec::new();
    for (_, instrument) in instruments.iter() {
        let (base, quote) = assets(instrument);
        for (asset, decimals) in [(base, instrument.qty_decimals), (quote, instrument.price_decimals)] {
            match all.iter_mut().find(|(known, _)| *known == asset) {
                Some((_, most)) => *most = decimals.max(*most),
                None if asset.is_empty() => {}
                None => all.push((asset, decimals)),
            }
        }
    }
    all
}
