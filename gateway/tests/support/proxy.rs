//! A proxy that does what networks do: it delays, cuts, resets, throttles, and swallows everything without a word. One that
//! blocks upgrades stands for those in offices, behind which nothing but plain requests gets through.

use socket2::SockRef;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// In good order, as far as either side can tell.
    Finish,
    /// At once.
    Reset,
    /// Not at all: nothing gets through any more.
    Swallow,
}

/// A proxy on a port of its own. It ends with this.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Both ends of every connection that lives.
    pairs: Mutex<Vec<[TcpStream; 2]>>,
    swallows: AtomicBool,
    blocks_upgrades: AtomicBool,
    is_over: AtomicBool,
    /// Waits so long before each piece that it passes on, in microseconds.
    delay: AtomicU64,
    /// Passes on so many bytes at a time.
    piece: AtomicU64,
}

impl Proxy {
    /// A proxy in front of a server.
    pub fn start(to: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        shared.piece.store(64 << 10, Relaxed);
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if serving.is_over.load(Relaxed) {
                    return;
                }
                if let Ok(server) = TcpStream::connect(to) {
                    serving.join(client, server);
                }
            }
        });
        Proxy { address, shared }
    }

    /// From now on pieces of at most so many bytes, with a delay before each: few and late is a throttle.
    pub fn shape(&self, piece: u64, delay: Duration) {
        self.shared.piece.store(piece, Relaxed);
        self.shared.delay.store(delay.as_micros() as u64, Relaxed);
    }

    /// Answers each request for an upgrade by itself, with a refusal.
    pub fn block_upgrades(&self) {
        self.shared.blocks_upgrades.store(true, Relaxed);
    }

    /// Ends all connections again and again, each time in another way, and drops dead in between, which only those notice who
    /// ask whether anyone is there.
    pub async fn trouble(self) {
        for (how, after) in [(Cut::Reset, 1_500), (Cut::Swallow, 1_500), (Cut::Finish, 2_500)].iter().cycle()
        {
            tokio::time::sleep(Duration::from_millis(*after)).await;
            self.cut(*how);
        }
    }

    /// Ends all connections; new ones get through.
    pub fn cut(&self, how: Cut) {
        let pairs = std::mem::take(&mut *self.shared.pairs.lock().unwrap());
        self.shared.swallows.store(how == Cut::Swallow, Relaxed);
        if how == Cut::Swallow {
            // They go on, and lead nowhere, until the next cut.
            return self.shared.pairs.lock().unwrap().extend(pairs);
        }
        for stream in pairs.iter().flatten() {
            if how == Cut::Reset {
                let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Relaxed);
        self.cut(Cut::Reset);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let ends = || io::Result::Ok([client.try_clone()?, server.try_clone()?]);
        let (Ok(held), Ok(back), Ok(forth)) = (ends(), ends(), ends()) else { return };
        self.pairs.lock().unwrap().push(held);
        let [to_client, from_server] = back;
        let [from_client, to_server] = forth;
        let (there, here) = (Arc::clone(self), Arc::clone(self));
        thread::spawn(move || here.pump(from_server, to_client, false));
        thread::spawn(move || there.pump(from_client, to_server, true));
    }

    /// Passes bytes on until one of both ends.
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, is_client: bool) {
        let mut bytes = vec![0; 64 << 10];
        let mut passed = || -> io::Result<bool> {
            let piece = (self.piece.load(Relaxed) as usize).clamp(1, bytes.len());
            let count = match from.read(&mut bytes[..piece]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
                read => read?,
            };
            thread::sleep(Duration::from_micros(self.delay.load(Relaxed)));
            if self.swallows.load(Relaxed) {
                return Ok(count > 0);
            }
            if is_client && self.blocks_upgrades.load(Relaxed) && asks_for_upgrade(&bytes[..count]) {
                from.write_all(
                    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                )?;
                return Ok(false);
            }
            to.write_all(&bytes[..count])?;
            Ok(count > 0)
        };
        while passed().unwrap_or(false) {}
        let _ = to.shutdown(Shutdown::Write);
    }
}

/// Requests are small enough to come in one piece.
fn asks_for_upgrade(request: &[u8]) -> bool {
    String::from_utf8_lossy(request).to_ascii_lowercase().contains("\r\nupgrade: websocket\r\n")
}
