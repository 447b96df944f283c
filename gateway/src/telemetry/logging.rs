//! The log: standard error, text on a terminal and JSON elsewhere.

use std::io::{IsTerminal, stderr};
use tracing_subscriber::{EnvFilter, filter::ParseError, fmt};

/// Begins to log what passes `filter`. To be called once.
///
/// # Errors
/// If the filter cannot be read.
pub fn begin(filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(filter)?;
    // Whoever read the log may have gone; that is no reason to end.
    let log = fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false);
    if stderr().is_terminal() {
        log.init()
    } else {
        log.json().flatten_event(true).init()
    }
    Ok(())
}
