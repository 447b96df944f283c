//! The listening socket, and the thread that deals new connections to the worker with the fewest.

use crate::{
    config::Config,
    control::{Control, Seat},
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Builder, sync::Notify};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;
/// Of the send buffer, what may stand unsent before a socket counts as full: one part in so many.
const UNSENT_PART: usize = 4;
/// When no connection can be accepted (the process has too many files open), it is tried again after this.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Why there is no listening socket.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another process has the port.
    #[error(
        "{0} is in use by another process; stop that one, or choose another port with --listen (port 0 takes a free one)"
    )]
    InUse(SocketAddr),
    /// The operating system refuses.
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// What the operating system answered.
        source: io::Error,
    },
}

/// Opens the listening socket of this configuration. Accepted sockets inherit its options.
pub(crate) fn listen(config: &Config) -> Result<TcpListener, ListenError> {
    let address = config.listen;
    open(config).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse(address),
        _ => ListenError::Refused { address, source },
    })
}

fn open(config: &Config) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(config.listen), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if config.reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(config.send_buffer)?;
    socket.set_tcp_notsent_lowat(u32::try_from(config.send_buffer / UNSENT_PART).unwrap_or(u32::MAX))?;
    socket.set_nonblocking(true)?;
    socket.bind(&config.listen.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts connections on this thread until `stop` is notified.
///
/// # Errors
/// If the operating system gives no runtime.
pub(crate) fn run(listener: TcpListener, control: &Arc<Control>, stop: &Notify) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            () = stop.notified() => Ok(()),
            () = deal(&listener, control) => Ok(()),
        }
    })
}

async fn deal(listener: &tokio::net::TcpListener, control: &Arc<Control>) {
    let mut refused = false;
    loop {
        let accepted = match listener.accept().await {
            Ok((stream, peer)) => stream.into_std().map(|stream| (stream, peer)),
            Err(error) => Err(error),
        };
        match accepted {
            Ok((stream, peer)) => {
                refused = false;
                let fewest = control.desks.iter().min_by_key(|desk| desk.connections());
                let desk = fewest.expect("there is a worker");
                let seat = Seat::take(desk);
                desk.post(move |shared| shared.accept(stream, peer, seat));
            }
            Err(error) => {
                // Told once, and not for each connection that waits.
                if !std::mem::replace(&mut refused, true) {
                    tracing::warn!(%error, "cannot accept connections; trying on");
                }
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
    }
}
