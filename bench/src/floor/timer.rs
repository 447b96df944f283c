//! A timer that keeps nanoseconds: the one of `epoll_wait` keeps milliseconds.

use market::{Nanos, clock};
use mio::{Interest, Registry, Token, unix::SourceFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

/// One timer of an epoll instance, which is woken each time that it rings; it need not be read.
pub struct Timer(OwnedFd);

impl Timer {
    pub fn new(registry: &Registry, token: Token) -> io::Result<Timer> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Timer(timer))
    }

    /// Rings then; at once if that is past.
    pub fn set(&self, moment: Nanos) {
        // Zero would stop it.
        let after = moment.since(clock::now()).max(Duration::from_nanos(1));
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec { tv_sec: after.as_secs() as i64, tv_nsec: i64::from(after.subsec_nanos()) };
        let setting = Itimerspec { it_interval: zero, it_value: value };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &setting)
            .expect("the timer is open and the time is valid");
    }
}
