//! The trades that a client got, against those that happened: each once, or named as missing.

use market::Seq;

/// The trades of one symbol at one client.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Its stream begins behind this number.
    begins_after: Option<Seq>,
    seen: Vec<Seq>,
    /// What the gateway said that it would not send, both ends included.
    gaps: Vec<(Seq, Seq)>,
}

impl Ledger {
    /// The stream begins, unless it has: it goes on over all connections. Where there was no number yet, it begins with what
    /// comes first.
    pub fn begin(&mut self, after: Seq) {
        self.begins_after.get_or_insert(after);
    }

    /// A trade came that was not known.
    pub fn see(&mut self, seq: Seq) {
        self.begin(seq - 1);
        self.seen.push(seq);
    }

    /// The trades that came, in their order.
    pub fn seen(&self) -> &[Seq] {
        &self.seen
    }

    /// A gap was named.
    pub fn miss(&mut self, from: Seq, to: Seq) {
        self.begin(from - 1);
        self.gaps.push((from, to));
    }

    /// Compares with the trades that happened.
    ///
    /// # Errors
    /// Which trade came twice, or never.
    pub fn compare(&self, happened: &[Seq]) -> Result<(), String> {
        if let Some(pair) = self.seen.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(format!("trade {} came again or too late, after {}", pair[1], pair[0]));
        }
        let Some(begins_after) = self.begins_after else { return Ok(()) };
        let missing = happened.iter().find(|&&seq| {
            let named = || self.gaps.iter().any(|&(from, to)| (from..=to).contains(&seq));
            seq > begins_after && self.seen.binary_search(&seq).is_err() && !named()
        });
        missing.map_or(Ok(()), |seq| Err(format!("trade {seq} never came, and no gap was named")))
    }
}
