//! nginx with nchan: subscribers over WebSocket or server-sent events, the feed by HTTP POST from a process beside it.
//!
//! One worker process, for one core, as all servers have here; no log of each request. What it holds for subscribers that are
//! behind is as much as the broadcast channels of the peers in Rust hold: the default of 10 messages would lose what comes in
//! bursts of 16. A subscriber begins with what comes next, not with what is held. The send buffer is the gateway's.

use super::{inside::start_feed, programs};
use crate::{
    load::Speech,
    servers::{Offer, Part, Process, Running, SEND_BUFFER, Server, Who},
};
use anyhow::Context;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

const PROGRAM: &str = "nginx";
const MODULE: &str = "ngx_nchan_module.so";
/// Where distributions put the modules of nginx.
const MODULES: [&str; 2] = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"];
/// A port that was free a moment ago may be taken meanwhile.
const TRIES: u32 = 3;

/// nginx with nchan.
#[derive(Debug)]
pub struct Nchan {
    name: &'static str,
    speech: Speech,
}

impl Nchan {
    /// Over WebSocket.
    pub const WEBSOCKET: Nchan = Nchan { name: "nchan", speech: Speech::Nchan };
    /// Over server-sent events.
    pub const SSE: Nchan = Nchan { name: "nchan-sse", speech: Speech::NchanSse };
}

impl Server for Nchan {
    fn name(&self) -> &'static str {
        self.name
    }

    fn missing(&self) -> Option<String> {
        match (programs::find(PROGRAM), module()) {
            (None, _) => Some(programs::missing(PROGRAM)),
            (_, None) => Some(programs::missing(MODULE)),
            _ => None,
        }
    }

    fn takes_part(&self, who: Who) -> bool {
        match self.speech {
            Speech::NchanSse => who == Who::Transports,
            _ => who == Who::All,
        }
    }

    fn start(&self, offer: &Offer) -> anyhow::Result<Running> {
        let mut tries = 1..=TRIES;
        let (server, address) = loop {
            tries.next();
            match start_server() {
                Err(error) if tries.is_empty() => return Err(error),
                Err(_) => {}
                Ok(started) => break started,
            }
        };
        let feed = start_feed("feed-nchan", address, offer)?;
        Ok(Running { address, speech: self.speech, processes: vec![feed, server] })
    }
}

fn start_server() -> anyhow::Result<(Process, SocketAddr)> {
    let program = programs::find(PROGRAM).with_context(|| programs::missing(PROGRAM))?;
    let module = module().with_context(|| programs::missing(MODULE))?;
    let files = tempfile::tempdir().context("make a folder for the files of nginx")?;
    let address = free_address().context("find a free port")?;
    let path = files.path().join("nginx.conf");
    fs::write(&path, configuration(&module, address)).with_context(|| format!("write {}", path.display()))?;
    let mut command = Command::new(program);
    command.args(["-e", "stderr", "-p"]).arg(files.path()).arg("-c").arg(path);
    let mut process = Process::start(&mut command, Part::Server)?.keeping(files);
    let worker = process.wait_for(started_worker)?;
    Ok((process.with_child(worker), address))
}

fn module() -> Option<PathBuf> {
    MODULES.map(|folder| Path::new(folder).join(MODULE)).into_iter().find(|path| path.is_file())
}

/// nginx does not choose a port itself.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn configuration(module: &Path, address: SocketAddr) -> String {
    let module = module.display();
    format!(
        r#"
load_module {module};
daemon off;
worker_processes 1;
error_log stderr notice;
pid nginx.pid;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {address} backlog=4096 sndbuf={SEND_BUFFER};
        # The feed is one connection for all of its messages.
        keepalive_requests 1000000000;
        location ~ ^/sub/(.+)$ {{
            nchan_subscriber websocket;
            nchan_channel_id $1;
            nchan_channel_id_split_delimiter ",";
            nchan_subscriber_first_message newest;
        }}
        location ~ ^/events/(.+)$ {{
            nchan_subscriber eventsource;
            nchan_channel_id $1;
            nchan_channel_id_split_delimiter ",";
            nchan_subscriber_first_message newest;
        }}
        location ~ ^/pub/(.+)$ {{
            nchan_publisher http;
            nchan_channel_id $1;
            nchan_message_buffer_length 1024;
        }}
    }}
}}
"#
    )
}

/// The process id of the worker that nginx says it has started, which is the last thing that it does at its start.
fn started_worker(line: &str) -> Option<u32> {
    line.rsplit_once(": start worker process ")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_is_named_in_the_log() {
        let check = |line, expected| assert_eq!(started_worker(line), expected, "{line}");
        check("2026/11/27 07:27:44 [notice] 123#123: start worker process 124", Some(124));
        check("2026/11/27 07:27:44 [notice] 123#123: start worker processes", None);
    }
}
