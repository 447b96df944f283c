//! The listening sockets, and the thread that deals new connections to the worker with the fewest.

use crate::{
    config::Config,
    control::{Control, Seat},
    worker::Shared,
};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    rc::Rc,
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
        "{address} is in use by another process; stop that one, or choose another port with {option} (port 0 takes a free one)"
    )]
    InUse {
        /// Where.
        address: SocketAddr,
        /// The option that says so.
        option: &'static str,
    },
    /// The operating system refuses.
    #[error("cannot listen on {address}: {source}; choose another address with {option}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// The option that says so.
        option: &'static str,
        /// What the operating system answered.
        source: io::Error,
    },
}

/// The listening sockets.
pub(crate) struct Listeners {
    http: TcpListener,
    /// For plain TCP connections.
    tcp: Option<TcpListener>,
}

impl Listeners {
    /// Opens the listening sockets of this configuration. Accepted sockets inherit their options.
    pub(crate) fn open(config: &Config) -> Result<Listeners, ListenError> {
        let http = listen(config, config.listen, "--listen")?;
        let tcp = config.tcp_address().map(|address| listen(config, address, "--tcp")).transpose()?;
        Ok(Listeners { http, tcp })
    }

    /// Where they listen: for HTTP, and for plain TCP.
    pub(crate) fn addresses(&self) -> io::Result<(SocketAddr, Option<SocketAddr>)> {
        Ok((self.http.local_addr()?, self.tcp.as_ref().map(TcpListener::local_addr).transpose()?))
    }
}

fn listen(config: &Config, address: SocketAddr, option: &'static str) -> Result<TcpListener, ListenError> {
    open(config, address, config.limits().silence()).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse { address, option },
        _ => ListenError::Refused { address, option, source },
    })
}

/// A listener whose connections end when their peers give no sign of life, or take nothing, for as long as `patience`.
fn open(config: &Config, address: SocketAddr, patience: Duration) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if config.reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(config.send_buffer)?;
    socket.set_tcp_notsent_lowat(u32::try_from(config.send_buffer / UNSENT_PART).unwrap_or(u32::MAX))?;
    // A peer that is gone without a word, or takes nothing for so long, is found also where nobody has to answer pings.
    socket.set_tcp_keepalive(
        &TcpKeepalive::new().with_time(patience / 2).with_interval(patience / 6).with_retries(3),
    )?;
    socket.set_tcp_user_timeout(Some(patience))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts connections on this thread until `stop` is notified.
///
/// # Errors
/// If the operating system gives no runtime.
pub(crate) fn run(listeners: Listeners, control: &Arc<Control>, stop: &Notify) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let http = tokio::net::TcpListener::from_std(listeners.http)?;
        let tcp = listeners.tcp.map(tokio::net::TcpListener::from_std).transpose()?;
        let plain = async {
            match &tcp {
                Some(tcp) => deal(tcp, control, Shared::accept_plain).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.notified() => Ok(()),
            () = deal(&http, control, Shared::accept) => Ok(()),
            () = plain => Ok(()),
        }
    })
}

async fn deal(
    listener: &tokio::net::TcpListener,
    control: &Arc<Control>,
    accept: fn(&Rc<Shared>, TcpStream, SocketAddr, Seat),
) {
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
                desk.post(move |shared| accept(shared, stream, peer, seat));
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

#[cfg(test)]
mod tests {
    use super::*;
    use market::clock;
    use socket2::SockRef;
    use std::io::Write;

    fn accepted(patience: Duration) -> (TcpStream, TcpStream) {
        let config = Config { send_buffer: 16 << 10, ..Config::default() };
        let listener = open(&config, ([127, 0, 0, 1], 0).into(), patience).unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // What is not there yet is waited for.
        listener.set_nonblocking(false).unwrap();
        (listener.accept().unwrap().0, peer)
    }

    #[test]
    fn accepted_sockets_find_out_when_their_peers_are_gone() {
        let (stream, _peer) = accepted(Duration::from_secs(60));
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(60)));
        let unheard = socket.tcp_keepalive_time().unwrap()
            + socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        assert_eq!(unheard, Duration::from_secs(60));
    }

    #[test]
    fn a_peer_that_takes_nothing_is_dropped_when_patience_is_over() {
        let patience = Duration::from_secs(6);
        let (mut stream, _peer) = accepted(patience);
        let began = clock::now();
        let error = loop {
            if let Err(error) = stream.write(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let passed = clock::now().since(began);
        assert!(passed >= patience && passed < 4 * patience, "{passed:?}");
    }
}
