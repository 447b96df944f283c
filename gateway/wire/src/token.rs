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
