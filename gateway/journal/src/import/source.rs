//! What an import reads: files that tell, step by step, what happened on their markets, once in each of the two passes.

use super::{
    error::{ImportError, Refused},
    message::Pass,
    rules::Rules,
};
use market::Nanos;

/// Files of one format, as one stream of steps.
pub(super) trait Source: Send {
    /// How its books are kept.
    fn rules(&self) -> &'static Rules;

    /// Moves to the next step; `None` at the end.
    fn advance(&mut self) -> Result<Option<Step>, ImportError>;

    /// Tells `pass` what the present step says.
    ///
    /// Whatever is wrong with it has to come out at once: in the first pass nothing has been made of the files yet.
    fn tell(&mut self, pass: &mut dyn Pass) -> Result<(), Refused>;

    /// At the end: accounts for what was begun and not finished.
    fn end(&mut self, pass: &mut dyn Pass) {
        let _ = pass;
    }

    /// Between the passes: back to the beginning.
    fn rewind(&mut self) -> Result<(), ImportError>;
}

/// Where a step stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The file's index.
    pub file: usize,
    /// The number of its line, or of its record where it has no lines, from 1.
    pub number: u64,
    /// When it was received, or the step before it if it does not say so.
    pub received: Nanos,
}
