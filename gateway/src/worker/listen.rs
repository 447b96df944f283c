//! What a worker does between two turns.

use super::{Shared, alarm::Alarm};
use market::Nanos;
use rings::wait::Listener;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use tokio::task::yield_now;

/// Waits for the ring, for a client, for somebody who wakes the worker, or for a moment.
pub(super) struct Pause {
    listener: Listener,
    alarm: Alarm,
}

impl Pause {
    pub(super) fn new(listener: Listener, alarm: Alarm) -> Pause {
        Pause { listener, alarm }
    }

    /// The last turn found something: the next wait begins with short looks again.
    pub(super) fn reset(&mut self) {
        self.listener.reset();
    }

    /// Returns when it is worth looking again: at the latest `until`, and while the strategy is to look and not to sleep,
    /// after the other tasks had their go.
    pub(super) async fn wait(&mut self, shared: &Shared, until: Option<Nanos>) {
        let mut woken = pin!(shared.wake.notified());
        let mut slept = false;
        poll_fn(|cx| {
            let looks_again =
                self.listener.poll_wait(cx, || shared.with(|engine| engine.has_news())).is_ready();
            if looks_again || woken.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if shared.with(|engine| engine.poll_sockets(cx)).is_ready() {
                return Poll::Ready(());
            }
            slept = true;
            self.alarm.poll(cx, until)
        })
        .await;
        if !slept {
            yield_now().await;
        }
    }
}
