//! What a market is called in depthcast, if nobody says.

/// Quote assets by which a name without a separator is split, the longer before those that they end in.
const QUOTES: [&str; 16] = [
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "DAI", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "BTC",
    "ETH", "BNB",
];

/// Base and quote where the name tells them apart, else the venue's own name. `separator` is what stands between base and
/// quote in this venue's names.
pub(super) fn common_name(venue_symbol: &str, separator: Option<char>) -> String {
    let pair = separator
        .and_then(|separator| {
            venue_symbol.split_once(separator).filter(|(_, quote)| !quote.contains(separator))
        })
        .or_else(|| by_quote(venue_symbol));
    match pair {
        Some((base, quote)) if !base.is_empty() && !quote.is_empty() => format!("{base}/{quote}"),
        _ => venue_symbol.to_owned(),
    }
}

fn by_quote(venue_symbol: &str) -> Option<(&str, &str)> {
    if venue_symbol.contains(['/', '_', '-']) {
        return None;
    }
    QUOTES.into_iter().find_map(|quote| venue_symbol.strip_suffix(quote).map(|base| (base, quote)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_where_its_quote_asset_is_known() {
        for (venue, name) in [
            ("BTCUSDT", "BTC/USDT"),
            ("ETHBTC", "ETH/BTC"),
            ("BTCFDUSD", "BTC/FDUSD"),
            ("BTCUSD", "BTC/USD"),
            ("USDT", "USDT"),
            ("BTCUSD_PERP", "BTCUSD_PERP"),
            ("XMR/USD", "XMR/USD"),
            ("XAUXAG", "XAUXAG"),
            ("SKL-USD", "SKL-USD"),
        ] {
            assert_eq!(common_name(venue, None), name);
        }
    }

    #[test]
    fn a_name_is_split_where_the_venue_separates_base_and_quote() {
        for (venue, name) in [
            ("SKL-XYZ", "SKL/XYZ"),
            ("UNI-USD-SWAP", "UNI-USD-SWAP"),
            ("BTC-", "BTC-"),
            ("BTCUSD", "BTC/USD"),
        ] {
            assert_eq!(common_name(venue, Some('-')), name);
        }
    }
}
