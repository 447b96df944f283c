//! How a reader waits for news, and how a writer wakes those that sleep. It does not know what the news is: a ring's
//! next record, a queue's next item, a flag.

use crate::atomic::{AtomicBool, Ordering, fence};
use atomic_waker::AtomicWaker;
use crossbeam::{
    sync::{Parker, Unparker},
    utils::{Backoff, CachePadded},
};
use std::{
    fmt, hint,
    str::FromStr,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

/// What a reader does between two looks that found nothing: the lower the latency, the higher the price in processor
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WaitStrategy {
    /// Looks again at once, for ever: a core of its own. Every 1,024th time it offers the core to other threads, so
    /// that nothing stands still where threads outnumber cores.
    Spin,
    /// Looks again at ever longer distances for some microseconds, then sleeps.
    #[default]
    Backoff,
    /// Sleeps at once.
    Park,
}

impl WaitStrategy {
    const NAMES: [(WaitStrategy, &str); 3] =
        [(WaitStrategy::Spin, "spin"), (WaitStrategy::Backoff, "backoff"), (WaitStrategy::Park, "park")];
}

impl fmt::Display for WaitStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = WaitStrategy::NAMES.iter().find(|(strategy, _)| strategy == self).map(|(_, name)| *name);
        f.pad(name.unwrap_or_default())
    }
}

/// The text is no [`WaitStrategy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no wait strategy; use spin, backoff or park")]
pub struct UnknownWaitStrategy(String);

impl FromStr for WaitStrategy {
    type Err = UnknownWaitStrategy;

    fn from_str(text: &str) -> Result<WaitStrategy, UnknownWaitStrategy> {
        let known = WaitStrategy::NAMES.iter().find(|(_, name)| *name == text);
        known.map(|(strategy, _)| *strategy).ok_or_else(|| UnknownWaitStrategy(text.to_owned()))
    }
}

/// The writer's end: wakes the listeners that sleep.
#[derive(Debug, Default)]
pub struct Doorbell {
    sleepers: Vec<Arc<CachePadded<Sleeper>>>,
}

impl Doorbell {
    /// A doorbell that nobody listens to yet.
    pub fn new() -> Doorbell {
        Doorbell::default()
    }

    /// One more listener.
    pub fn listener(&mut self, strategy: WaitStrategy) -> Listener {
        self.sleepers.retain(|sleeper| Arc::strong_count(sleeper) > 1);
        let sleeper = Arc::<CachePadded<Sleeper>>::default();
        self.sleepers.push(Arc::clone(&sleeper));
        let parker = Parker::new();
        let unpark = Waker::from(Arc::new(Unpark(parker.unparker().clone())));
        Listener { strategy, sleeper, backoff: Backoff::new(), spins: 0, parker, unpark }
    }

    /// Wakes every listener that sleeps. To be called after the news is there for them to see: once a batch, as it
    /// costs a fence, and a load for each listener.
    pub fn ring(&self) {
        if self.sleepers.is_empty() {
            return;
        }
        fence(Ordering::SeqCst);
        for sleeper in &self.sleepers {
            sleeper.wake();
        }
    }
}

/// The reader's end. Between two looks that found nothing it waits as its [`WaitStrategy`] says.
#[derive(Debug)]
pub struct Listener {
    strategy: WaitStrategy,
    sleeper: Arc<CachePadded<Sleeper>>,
    backoff: Backoff,
    spins: u32,
    parker: Parker,
    unpark: Waker,
}

impl Listener {
    /// To be called when a look found something: the next wait begins with short distances again.
    pub fn reset(&mut self) {
        self.backoff.reset();
    }

    /// Blocks the thread until it is worth looking again: for an instant, or, when the strategy is to sleep, until
    /// `ready`, a ring of the bell, or `timeout`. It may return early; it never misses news that `ready` can see.
    pub fn wait(&mut self, timeout: Duration, ready: impl FnOnce() -> bool) {
        if self.spin() || self.sleeper.poll_sleep(&self.unpark, ready).is_ready() {
            return;
        }
        self.parker.park_timeout(timeout);
        self.sleeper.stay_awake();
    }

    /// The same for asynchronous code, which may wait for other things too: `Ready` when it is worth looking again,
    /// `Pending` when the strategy is to sleep, and then the bell wakes the task. `Ready` may come again and again
    /// without a pause (that is what [`WaitStrategy::Spin`] is), so the caller serves its other work in between.
    ///
    /// Who goes on looking after a `Pending` without having been woken costs the writer one needless wake, no more.
    pub fn poll_wait(&mut self, cx: &mut Context<'_>, ready: impl FnOnce() -> bool) -> Poll<()> {
        if self.spin() {
            return Poll::Ready(());
        }
        self.sleeper.poll_sleep(cx.waker(), ready)
    }

    /// Lets an instant go by, or says that the time to sleep has come.
    fn spin(&mut self) -> bool {
        match self.strategy {
            WaitStrategy::Spin => self.spins = spin_or_yield(self.spins),
            WaitStrategy::Backoff if !self.backoff.is_completed() => self.backoff.snooze(),
            WaitStrategy::Backoff | WaitStrategy::Park => return false,
        }
        true
    }
}

fn spin_or_yield(spins: u32) -> u32 {
    if spins < 1_023 {
        hint::spin_loop();
        spins + 1
    } else {
        thread::yield_now();
        0
    }
}

/// An event count for one reader.
///
/// # Why no wake-up is lost
///
/// The reader registers its waker, sets `asleep`, fences, and looks for news; the writer stores its news, fences, and
/// looks at `asleep`. Both fences are sequentially consistent, so one comes before the other in their single order. If
/// the writer's is first, the reader's look sees the news, and it does not sleep. If the reader's is first, the writer
/// sees `asleep` as the reader set it, or as it was changed after that. Without the fences both could miss the other.
///
/// The change after that was either the reader's own, which then does not sleep, or a ring's that has taken the waking
/// on itself: its swap has read what the reader set (each change is a swap, so they form one chain), and by Release and
/// Acquire it finds the waker that was registered before.
#[derive(Debug, Default)]
struct Sleeper {
    asleep: AtomicBool,
    waker: AtomicWaker,
}

impl Sleeper {
    fn wake(&self) {
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    fn poll_sleep(&self, waker: &Waker, ready: impl FnOnce() -> bool) -> Poll<()> {
        self.waker.register(waker);
        self.asleep.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        if ready() {
            self.stay_awake();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn stay_awake(&self) {
        self.asleep.swap(false, Ordering::AcqRel);
    }
}

/// A waker of a thread that blocks.
#[derive(Debug)]
struct Unpark(Unparker);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A doorbell, a listener, and a task that counts how often it was woken.
    fn scene(strategy: WaitStrategy) -> (Doorbell, Listener, Arc<Woken>) {
        let mut doorbell = Doorbell::new();
        let listener = doorbell.listener(strategy);
        (doorbell, listener, Arc::default())
    }

    fn poll(listener: &mut Listener, woken: &Arc<Woken>, ready: bool) -> Poll<()> {
        listener.poll_wait(&mut Context::from_waker(&Waker::from(Arc::clone(woken))), || ready)
    }

    #[test]
    fn a_sleeper_is_woken_by_the_next_ring_and_only_by_that() {
        let (doorbell, mut listener, woken) = scene(WaitStrategy::Park);
        doorbell.ring();
        assert_eq!(woken.0.load(Ordering::Relaxed), 0, "nobody slept yet");
        assert_eq!(poll(&mut listener, &woken, false), Poll::Pending);
        doorbell.ring();
        doorbell.ring();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn nobody_falls_asleep_over_news() {
        let (doorbell, mut listener, woken) = scene(WaitStrategy::Park);
        assert_eq!(poll(&mut listener, &woken, true), Poll::Ready(()));
        doorbell.ring();
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        listener.wait(Duration::MAX, || true);
    }

    #[test]
    fn a_wait_ends_without_a_ring_when_its_time_is_over() {
        let (doorbell, mut listener, _) = scene(WaitStrategy::Park);
        listener.wait(Duration::from_millis(1), || false);
        assert!(!listener.sleeper.asleep.load(Ordering::Relaxed), "the writer need not wake it any more");
        doorbell.ring();
    }

    #[test]
    fn backing_off_ends_in_sleep_and_begins_anew_after_a_find() {
        let (_doorbell, mut listener, woken) = scene(WaitStrategy::Backoff);
        for _ in 0..2 {
            assert_eq!(poll(&mut listener, &woken, false), Poll::Ready(()));
            let asleep = (0..100).any(|_| poll(&mut listener, &woken, false).is_pending());
            assert!(asleep);
            listener.reset();
        }
    }

    #[test]
    fn a_spinner_never_sleeps() {
        let (_doorbell, mut listener, woken) = scene(WaitStrategy::Spin);
        assert!((0..5_000).all(|_| poll(&mut listener, &woken, false).is_ready()));
    }

    #[test]
    fn a_listener_that_left_is_forgotten() {
        let (mut doorbell, listener, _) = scene(WaitStrategy::Park);
        drop(listener);
        let _present = doorbell.listener(WaitStrategy::Park);
        assert_eq!(doorbell.sleepers.len(), 1);
    }

    #[test]
    fn strategies_are_named_on_the_command_line() {
        for strategy in [WaitStrategy::Spin, WaitStrategy::Backoff, WaitStrategy::Park] {
            assert_eq!(strategy.to_string().parse(), Ok(strategy));
        }
        let error = "Spin".parse::<WaitStrategy>().unwrap_err();
        assert_eq!(error.to_string(), "`Spin` is no wait strategy; use spin, backoff or park");
    }
}
