//! A timer that keeps microseconds, which the runtime's own does not: its unit is the millisecond.

use super::watched::Watched;
use market::{Nanos, clock};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::{
    io,
    os::fd::AsFd,
    task::{Context, Poll, ready},
    time::Duration,
};

/// One alarm clock: the kernel's timer is a file that can be read once it has rung.
pub(super) struct Alarm {
    timer: Watched,
    /// What the timer is set to.
    set_to: Option<Nanos>,
}

impl Alarm {
    /// An alarm of the present runtime.
    ///
    /// # Errors
    /// If the operating system gives no timer.
    pub(super) fn new() -> io::Result<Alarm> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Alarm { timer: Watched::new(timer)?, set_to: None })
    }

    /// Ready once `until` has come; never for `None`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, until: Option<Nanos>) -> Poll<()> {
        let Some(until) = until else { return Poll::Pending };
        let now = clock::now();
        if until <= now {
            return Poll::Ready(());
        }
        if self.set_to != Some(until) {
            self.set(until.since(now));
            self.set_to = Some(until);
        }
        // It may have rung for what it was set to before; then there is nothing to read any more. An error is no reason to
        // sleep on.
        let _ = ready!(self.timer.poll_read(cx, |timer| Ok(rustix::io::read(timer, &mut [0; 8])?)));
        self.set_to = None;
        Poll::Ready(())
    }

    fn set(&self, after: Duration) {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec { tv_sec: after.as_secs() as i64, tv_nsec: i64::from(after.subsec_nanos()) };
        let setting = Itimerspec { it_interval: zero, it_value: value };
        timerfd_settime(self.timer.as_fd(), TimerfdTimerFlags::empty(), &setting)
            .expect("the timer is open and the time is valid");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    fn run(test: impl AsyncFnOnce(Alarm)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { test(Alarm::new().unwrap()).await });
    }

    #[test]
    fn rings_when_the_moment_has_come_and_not_before() {
        run(async |mut alarm: Alarm| {
            for micros in [300, 20, 1_500] {
                let until = clock::now() + Duration::from_micros(micros);
                poll_fn(|cx| alarm.poll(cx, Some(until))).await;
                assert!(clock::now() + Duration::from_micros(5) >= until);
            }
        });
    }

    #[test]
    fn can_be_set_to_another_moment_while_it_runs() {
        run(async |mut alarm: Alarm| {
            let far = clock::now() + Duration::from_secs(3600);
            let pending =
                async |alarm: &mut Alarm| poll_fn(|cx| Poll::Ready(alarm.poll(cx, Some(far)))).await;
            assert!(pending(&mut alarm).await.is_pending());
            let near = clock::now() + Duration::from_millis(1);
            poll_fn(|cx| alarm.poll(cx, Some(near))).await;
            assert!(pending(&mut alarm).await.is_pending());
        });
    }
}
