//! Where the servers of ours listen: each on a free port, with the gateway's socket options.

use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

/// As the gateway's sockets have it, in bytes.
pub const SEND_BUFFER: usize = 256 << 10;
const NOT_SENT_LOW: u32 = 64 << 10;
const BACKLOG: i32 = 4096;

/// Listens on the loopback interface without ever blocking. Accepted sockets inherit its options.
///
/// # Errors
/// If the operating system refuses.
pub fn listen() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_tcp_notsent_lowat(NOT_SENT_LOW)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Says where a server listens, on standard error.
pub fn announce(address: SocketAddr) {
    eprintln!("serving {address}");
}

/// What a server of ours says once it listens.
pub fn announced(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("serving ")?.parse().ok()
}
