//! Files that are no sockets and whose readiness the runtime watches: a timer, a set of sockets.

use std::{
    io::{self, ErrorKind::WouldBlock},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    task::{Context, Poll, ready},
};
use tokio::net::unix::pipe;

/// A watched file.
///
/// To the runtime it goes as a pipe, which is what it has for readable files that it owns; how the other end is written to
/// is no concern of its.
pub(super) struct Watched(pipe::Receiver);

impl Watched {
    /// Has the present runtime watch a file.
    ///
    /// # Errors
    /// If the runtime cannot.
    pub(super) fn new(file: OwnedFd) -> io::Result<Watched> {
        Ok(Watched(pipe::Receiver::from_owned_fd_unchecked(file)?))
    }

    /// Reads by `read` once there is something: while that says `WouldBlock`, the task is woken when it is worth trying
    /// again.
    pub(super) fn poll_read<T>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.try_read(&mut read) {
                Err(error) if error.kind() == WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Reads by `read` if the runtime knows that there is something: where there is nothing, no system call is made.
    ///
    /// # Errors
    /// That of `read`; `WouldBlock` if there is nothing.
    pub(super) fn try_read<T>(&self, read: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        self.0.try_io(|| read(self.0.as_fd()))
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
