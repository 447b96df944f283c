//! What is traded here, as clients load it before they do anything else. Some refuse all of it when one field is missing, and
//! one takes the first filter for that of the price.

use super::{
    market_data::millis,
    number::{push_price, push_qty},
    symbol::push_symbol,
};
use crate::dialect::{
    assets::assets,
    json::{push, push_number},
};
use market::{Instrument, Nanos, Status};

/// What stands in for a largest price or quantity, as nothing limits them.
const NO_LIMIT: &str = "9000000000.00000000";

/// Appends all that is to be known of these instruments, at a time. `limit` is how many requests an address has each minute, if
/// anything limits them.
pub fn push_exchange_info<'a>(
    out: &mut Vec<u8>,
    time: Nanos,
    limit: Option<u64>,
    instruments: impl Iterator<Item = &'a Instrument>,
) {
    push_number(out, "{\"timezone\":\"UTC\",\"serverTime\":", millis(time));
    push(out, ",\"rateLimits\":[");
    if let Some(limit) = limit {
        let window =
            "{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":";
        push_number(out, window, limit);
        out.push(b'}');
    }
    push(out, "],\"exchangeFilters\":[],\"symbols\":");
    super::rest::push_list_of(out, instruments, push_symbol_info);
    out.push(b'}');
}

fn push_symbol_info(out: &mut Vec<u8>, instrument: &Instrument) {
    let (base, quote) = assets(instrument);
    let status = match instrument.status {
        Status::Trading => "TRADING",
        Status::Halted => "HALT",
    };
    push(out, "{\"symbol\":\"");
    push_symbol(out, instrument);
    for (name, value) in
        [("\",\"status\":\"", status), ("\",\"baseAsset\":\"", base), ("\",\"quoteAsset\":\"", quote)]
    {
        push(out, name);
        push(out, value);
    }
    push(out, REST_OF_SYMBOL);
    push_filters(out, instrument);
    push(out, "]}");
}

/// What is the same for all: eight decimals of everything, and nothing but looking on, though clients would leave a symbol out
/// that is not for trading.
const REST_OF_SYMBOL: &str = concat!(
    "\",\"baseAssetPrecision\":8,\"quotePrecision\":8,\"quoteAssetPrecision\":8,",
    "\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":8,\"orderTypes\":[\"LIMIT\",\"MARKET\"],",
    "\"icebergAllowed\":false,\"ocoAllowed\":false,\"otoAllowed\":false,\"quoteOrderQtyMarketAllowed\":false,",
    "\"allowTrailingStop\":false,\"cancelReplaceAllowed\":false,\"amendAllowed\":false,",
    "\"isSpotTradingAllowed\":true,\"isMarginTradingAllowed\":false,",
    "\"permissions\":[\"SPOT\"],\"permissionSets\":[[\"SPOT\"]],",
    "\"defaultSelfTradePreventionMode\":\"NONE\",\"allowedSelfTradePreventionModes\":[\"NONE\"],\"filters\":["
);

fn push_filters(out: &mut Vec<u8>, instrument: &Instrument) {
    let Instrument { tick, lot, .. } = *instrument;
    push(out, "{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"");
    push_price(out, tick, instrument);
    push_limit(out, "\",\"maxPrice\":\"");
    push(out, "\",\"tickSize\":\"");
    push_price(out, tick, instrument);
    push(out, "\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"");
    push_qty(out, lot, instrument);
    push_limit(out, "\",\"maxQty\":\"");
    push(out, "\",\"stepSize\":\"");
    push_qty(out, lot, instrument);
    push(out, "\"},{\"filterType\":\"NOTIONAL\",\"minNotional\":\"0.00000000\",\"applyMinToMarket\":false");
    push_limit(out, ",\"maxNotional\":\"");
    push(out, "\",\"applyMaxToMarket\":false,\"avgPriceMins\":5}");
}

fn push_limit(out: &mut Vec<u8>, prefix: &str) {
    push(out, prefix);
    push(out, NO_LIMIT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{Price, Qty};
    use serde_json::{Value, json};

    fn told(symbol: &str, limit: Option<u64>) -> Value {
        let instrument = Instrument {
            symbol: symbol.into(),
            venue_symbol: "V".into(),
            price_decimals: 2,
            qty_decimals: 5,
            tick: Price(10),
            lot: Qty(1),
            status: Status::Trading,
        };
        let mut out = Vec::new();
        push_exchange_info(&mut out, Nanos(1_700_000_000_123_456_789), limit, [&instrument].into_iter());
        serde_json::from_slice(&out).expect("it is JSON")
    }

    #[test]
    fn clients_find_all_they_ask_for_and_the_filter_of_the_price_first() {
        let told = told("BTC/USDT", Some(3_000));
        assert_eq!((&told["timezone"], &told["serverTime"]), (&json!("UTC"), &json!(1_700_000_000_123_u64)));
        assert_eq!(told["exchangeFilters"], json!([]));
        let limit = json!({"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 3_000});
        assert_eq!(told["rateLimits"], json!([limit]));
        let symbol = &told["symbols"][0];
        for (name, wanted) in
            [("symbol", "BTCUSDT"), ("status", "TRADING"), ("baseAsset", "BTC"), ("quoteAsset", "USDT")]
        {
            assert_eq!(symbol[name], wanted);
        }
        for name in ["baseAssetPrecision", "quotePrecision", "quoteAssetPrecision"] {
            assert_eq!(symbol[name], 8);
        }
        let flags = [
            "icebergAllowed",
            "ocoAllowed",
            "quoteOrderQtyMarketAllowed",
            "allowTrailingStop",
            "isSpotTradingAllowed",
            "isMarginTradingAllowed",
        ];
        assert!(flags.iter().all(|name| symbol[*name].is_boolean()));
        assert!(["orderTypes", "permissions"].iter().all(|name| symbol[*name].is_array()));
        let [price, lot, notional] = [0, 1, 2].map(|at| &symbol["filters"][at]);
        assert_eq!(
            *price,
            json!({"filterType": "PRICE_FILTER", "minPrice": "0.10000000", "maxPrice": NO_LIMIT, "tickSize": "0.10000000"})
        );
        assert_eq!(
            *lot,
            json!({"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": NO_LIMIT, "stepSize": "0.00001000"})
        );
        assert_eq!(notional["filterType"], "NOTIONAL");
    }

    #[test]
    fn what_has_no_limit_names_none() {
        assert_eq!(told("X", None)["rateLimits"], json!([]));
    }
}
