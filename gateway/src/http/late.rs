//! Waiting a moment for a book that cannot be told yet: most client libraries take no for an answer, and a moment later there is one.

use crate::worker::{Engine, Shared};
use market::clock;
use std::time::Duration;

/// How long a book is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks whether it can be told.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What `tell` says of a book once it can, with all that any client may have seen. Lets a held feed go: some clients fetch a
/// book before they open a stream.
///
/// # Errors
/// What it says in the end, if it cannot for long.
pub(super) async fn told<T, E>(
    shared: &Shared,
    mut tell: impl FnMut(&mut Engine) -> Result<T, E>,
) -> Result<T, E> {
    let until = clock::now() + PATIENCE;
    loop {
        let told = shared.with(|engine| {
            engine.resume_feed();
            engine.catch_up();
            tell(engine)
        });
        match told {
            Err(_) if clock::now() < until && !shared.control.is_draining() => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            told => return told,
        }
    }
}
