//! What a market is called in depthcast, if nobody says.

use std::collections::HashSet;

/// Quote assets by which a name without a separator is split, the longer before those that they end in.
pub(super) const QUOTES: &[&str] =
    &["USDT", "USDC", "DAI", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "BTC", "XBT", "ETH"];

/// Those of Binance, which has more coins that are worth a dollar. Where they are quote assets, the dollar itself seldom is.
pub(super) const BINANCE_QUOTES: &[&str] = &[
    "FDUSD", "TUSD", "BUSD", "USDP", "USDT", "USDC", "DAI", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "BTC",
    "ETH", "BNB",
];

/// What stands between the names of assets in a venue's names of pairs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pairs {
    /// This character.
    Separated(char),
    /// Nothing: a name is split where it ends in one of these.
    Joined(&'static [&'static str]),
}

/// Base and quote where the name tells them apart, else the venue's own name.
pub(super) fn common_name(venue_symbol: &str, pairs: Pairs) -> String {
    let split = match pairs {
        Pairs::Separated(separator) => {
            venue_symbol.split_once(separator).filter(|(_, quote)| !quote.contains(separator))
        }
        Pairs::Joined(_) if venue_symbol.contains(['/', '_', '-']) => None,
        Pairs::Joined(quotes) => quotes.iter().find_map(|quote| split_joined(venue_symbol, quote)),
    };
    match split {
        Some((base, quote)) if !base.is_empty() && !quote.is_empty() => format!("{base}/{quote}"),
        _ => venue_symbol.to_owned(),
    }
}

/// Hardly an asset has a name of two letters, so what would leave one is in dollars: `BNBUSD` is `BNB/USD`.
fn split_joined<'a>(name: &'a str, quote: &'a str) -> Option<(&'a str, &'a str)> {
    let base = name.strip_suffix(quote)?;
    let is_cut_short = quote.len() > 3 && quote.ends_with("USD") && base.len() < 3;
    (!is_cut_short).then_some((base, quote))
}

/// A symbol in the characters that a name may have; where that is `taken`, followed by a point and the first of `ends` with which it is
/// not, of which the last has to be one that no other market has.
pub(super) fn distinct_name(symbol: &str, ends: &[&str], taken: &HashSet<String>) -> String {
    let plain = plain(symbol);
    if !plain.is_empty() && !taken.contains(&plain) {
        return plain;
    }
    let with = |end: &&str| {
        let end = self::plain(end);
        // Only ASCII is left.
        format!("{}.{end}", &plain[..plain.len().min(LONGEST - 1 - end.len().min(LONGEST - 1))])
    };
    let mut names = ends.iter().map(with);
    names.find(|name| !taken.contains(name)).unwrap_or_else(|| ends.last().copied().unwrap_or("_").to_owned())
}

/// Characters of the longest name.
const LONGEST: usize = 32;

fn plain(text: &str) -> String {
    let allowed = |char: char| {
        let upper = char.to_ascii_uppercase();
        if market::is_symbol(upper.encode_utf8(&mut [0; 4])) { upper } else { '_' }
    };
    text.chars().map(allowed).take(LONGEST).collect()
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
            ("BTCTUSD", "BTC/TUSD"),
            ("BNBUSD", "BNB/USD"),
            ("BNBBUSD", "BNB/BUSD"),
        ] {
            assert_eq!(common_name(venue, Pairs::Joined(BINANCE_QUOTES)), name);
        }
        for (venue, name) in [("XBTUSD", "XBT/USD"), ("USDTUSD", "USDT/USD"), ("ADAXBT", "ADA/XBT")] {
            assert_eq!(common_name(venue, Pairs::Joined(QUOTES)), name);
        }
    }

    #[test]
    fn a_name_is_split_where_the_venue_separates_base_and_quote() {
        for (venue, name) in
            [("SKL-XYZ", "SKL/XYZ"), ("UNI-USD-SWAP", "UNI-USD-SWAP"), ("BTC-", "BTC-"), ("BTCUSD", "BTCUSD")]
        {
            assert_eq!(common_name(venue, Pairs::Separated('-')), name);
        }
    }
}
