//! The resume token: where a client stands, as one text that any gateway of the same feed understands.

use crate::message::Depth;
use market::{Epoch, Seq};
use std::{fmt, str::FromStr};

/// `EPOCH:SYMBOL@DEPTH=SEQ,…`, for example `9c41d7e0a25b7f3a:BTC/USDT@10=1041,ETH/USDT=77`. At most
/// [`Token::MAX_ENTRIES`], one a symbol, kept and written in the order of the symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    epoch: Epoch,
    entries: Vec<TokenEntry>,
}

/// How far a client is with one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// The symbol, in either form.
    pub symbol: String,
    /// How deep a book the client holds; `None` if it holds none.
    pub depth: Option<Depth>,
    /// The last number that it applied.
    pub seq: Seq,
}

/// A text that is not a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a token is EPOCH:SYMBOL@DEPTH=SEQ,… as in 9c41d7e0a25b7f3a:BTC/USDT@10=1041,ETH/USDT=77")]
pub struct TokenError(&'static str);

impl Token {
    /// Most entries of a token.
    pub const MAX_ENTRIES: usize = 1024;

    /// A token of these entries.
    ///
    /// # Errors
    /// If there are too many, or two of one symbol, or one of something that is no symbol.
    pub fn new(epoch: Epoch, mut entries: Vec<TokenEntry>) -> Result<Token, TokenError> {
        if entries.len() > Token::MAX_ENTRIES {
            return Err(TokenError("more than 1024 symbols"));
        }
        if entries.iter().any(|entry| !market::is_symbol(&entry.symbol)) {
            return Err(TokenError("not a symbol"));
        }
        entries.sort_unstable_by(|a, b| a.symbol.cmp(&b.symbol));
        if entries.windows(2).any(|pair| pair[0].symbol == pair[1].symbol) {
            return Err(TokenError("one symbol twice"));
        }
        Ok(Token { epoch, entries })
    }

    /// The numbering that the seqs belong to.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// All entries, in the order of their symbols.
    pub fn entries(&self) -> &[TokenEntry] {
        &self.entries
    }

    /// The entry of this symbol, as it is written in the token.
    pub fn find(&self, symbol: &str) -> Option<&TokenEntry> {
        let at = self.entries.binary_search_by(|entry| entry.symbol.as_str().cmp(symbol)).ok()?;
        self.entries.get(at)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.epoch)?;
        for (i, entry) in self.entries.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match entry.depth {
                Some(depth) => write!(f, "{comma}{}@{}={}", entry.symbol, depth.get(), entry.seq)?,
                None => write!(f, "{comma}{}={}", entry.symbol, entry.seq)?,
            }
        }
        Ok(())
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Token, TokenError> {
        let (epoch, rest) = text.split_once(':').ok_or(TokenError("no colon after the epoch"))?;
        let epoch = epoch.parse().map_err(|_| TokenError("the epoch is not 16 lower-case hex digits"))?;
        if rest.is_empty() {
            return Token::new(epoch, Vec::new());
        }
        let entries = rest.split(',').take(Token::MAX_ENTRIES + 1).map(entry).collect::<Result<_, _>>()?;
        Token::new(epoch, entries)
    }
}

/// Appends the beginning of a token. The entries follow by [`push_entry`].
pub fn push_epoch(out: &mut Vec<u8>, epoch: Epoch) {
    out.extend((0..16).rev().map(|at| b"0123456789abcdef"[(epoch.0 >> (4 * at) & 0xF) as usize]));
    out.push(b':');
}

/// Appends an entry of a token, one a symbol, in any order.
pub fn push_entry(out: &mut Vec<u8>, first: bool, symbol: &str, depth: Option<Depth>, seq: Seq) {
    let mut digits = itoa::Buffer::new();
    if !first {
        out.push(b',');
    }
    out.extend_from_slice(symbol.as_bytes());
    if let Some(depth) = depth {
        out.push(b'@');
        out.extend_from_slice(digits.format(depth.get()).as_bytes());
    }
    out.push(b'=');
    out.extend_from_slice(digits.format(seq).as_bytes());
}

fn entry(text: &str) -> Result<TokenEntry, TokenError> {
    let (name, seq) = text.split_once('=').ok_or(TokenError("no =SEQ after a symbol"))?;
    let seq = number(seq).ok_or(TokenError("a seq is not a number"))?;
    let (symbol, depth) = match name.split_once('@') {
        Some((symbol, depth)) => (symbol, Some(number(depth).ok_or(TokenError("a depth is not a number"))?)),
        None => (name, None),
    };
    let depth =
        depth.map(|depth| Depth::new(depth).map_err(|_| TokenError("a depth is not offered"))).transpose()?;
    Ok(TokenEntry { symbol: symbol.into(), depth, seq })
}

/// Digits only: no sign, as `parse` would take.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_how_far_a_client_is_with_each_symbol() {
        let token: Token = "9c41d7e0a25b7f3a:BTC/USDT@10=1041,ETH/USDT=77".parse().unwrap();
        assert_eq!(token.epoch(), Epoch(0x9c41_d7e0_a25b_7f3a));
        let bitcoin = token.find("BTC/USDT").unwrap();
        assert_eq!((bitcoin.depth.map(Depth::get), bitcoin.seq), (Some(10), 1041));
        let ether = token.find("ETH/USDT").unwrap();
        assert_eq!((ether.depth, ether.seq), (None, 77));
        assert_eq!(token.find("ETH"), None);
    }

    #[test]
    fn a_client_may_write_it_in_any_order() {
        let token: Token = "0000000000000001:C=3,A@0=1,B=18446744073709551615".parse().unwrap();
        assert_eq!(token.to_string(), "0000000000000001:A@0=1,B=18446744073709551615,C=3");
        assert_eq!("0000000000000001:".parse::<Token>().unwrap().entries(), []);
    }

    #[test]
    fn refuses_what_is_no_token() {
        let check = |text: &str, why: &str| {
            let error = text.parse::<Token>().unwrap_err().to_string();
            assert!(error.starts_with(why), "{text}: {error}");
        };
        check("", "no colon after the epoch");
        check("9c41d7e0a25b7f3a", "no colon after the epoch");
        check("9C41D7E0A25B7F3A:A=1", "the epoch is not 16 lower-case hex digits");
        check("9c41d7e0a25b7f3a:A", "no =SEQ after a symbol");
        check("9c41d7e0a25b7f3a:A=1,", "no =SEQ after a symbol");
        check("9c41d7e0a25b7f3a:A=", "a seq is not a number");
        check("9c41d7e0a25b7f3a:A=+1", "a seq is not a number");
        check("9c41d7e0a25b7f3a:A=18446744073709551616", "a seq is not a number");
        check("9c41d7e0a25b7f3a:A@=1", "a depth is not a number");
        check("9c41d7e0a25b7f3a:A@7=1", "a depth is not offered");
        check("9c41d7e0a25b7f3a:btc=1", "not a symbol");
        check("9c41d7e0a25b7f3a:=1", "not a symbol");
        check("9c41d7e0a25b7f3a:A=1,A@10=1", "one symbol twice");
        let many: Vec<String> = (0..=Token::MAX_ENTRIES).map(|i| format!("S{i}=1")).collect();
        check(&format!("9c41d7e0a25b7f3a:{}", many.join(",")), "more than 1024 symbols");
        assert!(format!("9c41d7e0a25b7f3a:{}", many[1..].join(",")).parse::<Token>().is_ok());
    }

    fn entries() -> impl Strategy<Value = Vec<TokenEntry>> {
        let held = (prop::option::of(prop::sample::select(&Depth::OFFERED[..])), any::<u64>());
        prop::collection::btree_map("[A-Z0-9./_-]{1,32}", held, 0..20).prop_map(|map| {
            map.into_iter().map(|(symbol, (depth, seq))| TokenEntry { symbol, depth, seq }).collect()
        })
    }

    proptest! {
        #[test]
        fn text_round_trips(epoch: u64, entries in entries()) {
            let token = Token::new(Epoch(epoch), entries.clone()).unwrap();
            prop_assert_eq!(token.to_string().parse(), Ok(token.clone()));
            for entry in &entries {
                prop_assert_eq!(token.find(&entry.symbol), Some(entry));
            }
        }

        #[test]
        fn any_text_is_a_token_or_an_error(text in "[0-9a-f]{15,17}:[A-Z@=,0-9é]{0,30}") {
            if let Ok(token) = text.parse::<Token>() {
                prop_assert_eq!(token.to_string().parse(), Ok(token));
            }
        }
    }
}
