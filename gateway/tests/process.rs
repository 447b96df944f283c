//! The program as it is run: its command line, its exit codes, its signals.

mod support;

use serde_json::json;
use std::process::Output;
use support::{
    client::Client,
    get,
    program::{Gateway, depthcast},
    run,
};

fn output(arguments: &[&str]) -> Output {
    depthcast(arguments).output().unwrap()
}

fn check(arguments: &[&str], code: i32, text: &str) {
    let output = output(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.contains(text), "{arguments:?}: {said}");
}

const SMALL: [&str; 8] =
    ["--listen", "127.0.0.1:0", "--symbols", "2", "--ring-slots", "16384", "--history-bytes", "8388608"];

#[test]
fn wrong_usage_is_told_with_exit_code_2() {
    check(&["--fed", "sim"], 2, "a similar argument exists: '--feed'");
    check(&["--feed", "fax"], 2, "use sim, sim:NAME, sim:FILE, journal:DIR, or shm:NAME");
    check(&["--feed", "shm:a/b"], 2, "1 to 64 of A-Z a-z 0-9 . _ -");
    check(&["--wait", "sleep"], 2, "use spin, backoff or park");
    check(&["--workers", "0"], 2, "1..=256");
    check(&["--log", "a=b=c"], 2, "--log");
    check(&["fly"], 2, "fly");
}

#[test]
fn a_bad_file_is_told_with_the_key_and_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("depthcast.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:0\"").unwrap();
    check(&["serve", "--config", file.to_str().unwrap()], 2, "lisen");
}

#[test]
fn what_cannot_be_served_is_told_with_exit_code_1() {
    check(&["--listen", "127.0.0.1:0", "--feed", "sim:nothing"], 1, "there is no scenario 'nothing'");
    check(&["--listen", "127.0.0.1:0", "--feed", "journal:/no/such/folder"], 1, "/no/such/folder");
    check(&["--listen", "127.0.0.1:0", "--ring-slots", "1000"], 1, "power of two");
    check(&["--listen", "127.0.0.1:0", "--feed", "shm:any", "--hold"], 1, "cannot be held");
    check(&["verify", "/no/such/folder"], 1, "/no/such/folder");
    check(&["import", "kraken", "/no/such/file", "--out", "/tmp/never"], 1, "/no/such/file");
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let in_use =
        format!("{address} is in use by another process; stop that one, or choose another port with");
    check(&["--listen", &address], 1, &format!("{in_use} --listen"));
    check(&["--listen", "127.0.0.1:0", "--tcp", &address], 1, &format!("{in_use} --tcp"));
}

#[test]
fn the_environment_counts_and_a_signal_ends_it_in_good_order() {
    for signal in ["TERM", "INT"] {
        let mut command = depthcast(&SMALL);
        command
            .env("DEPTHCAST_SYMBOLS", "5")
            .env("DEPTHCAST_ECHO", "true")
            .env("DEPTHCAST_PORT", "tcp://10.0.0.1");
        let mut gateway = Gateway::start(command);
        run(async {
            let instruments = get(gateway.address, "/v1/instruments").await.json();
            assert_eq!(instruments["instruments"].as_array().unwrap().len(), 2, "the command line wins");
            let mut echo = Client::connect_to(gateway.address, "/echo").await;
            echo.send("from the environment").await;
            assert_eq!(echo.text().await, "from the environment");
            let mut client = Client::connect(gateway.address).await;
            client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"]})).await;
            gateway.signal(signal);
            let status = client.json_where(|message| message["channel"] == "status").await;
            assert_eq!(status["data"][0]["event"], "shutdown");
            assert_eq!(client.closed().await.0, 1001);
            assert_eq!(echo.closed().await.0, 1001);
        });
        assert_eq!(gateway.process.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn help_groups_the_options() {
    let output = output(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for heading in ["Commands:", "Feed:", "Network:", "Threads:", "Memory:", "Limits:", "General:"] {
        assert!(help.contains(heading), "{heading} in {help}");
    }
}

/// Follows a gateway with the client that reconnects by itself until `enough`; every message proves itself on the way.
async fn follow(client: &mut client::Client, enough: impl Fn(&client::Tracker, u32) -> bool) {
    let mut connections = 0;
    while !enough(client.tracker(), connections) {
        match client.next().await {
            client::Event::Fault(fault) => panic!("{fault}"),
            client::Event::Connected => connections += 1,
            _ => {}
        }
    }
}

fn all_books() -> client::Options {
    let books = client::Subscription::new(wire::message::Channel::Book, ["BTC/USDT", "ETH/USDT"]);
    client::Options::new(vec![books])
}

#[test]
fn a_gateway_that_is_killed_and_comes_back_leaves_no_wrong_book() {
    let first = Gateway::start(depthcast(&["--listen", "127.0.0.1:0"]));
    let address = first.address.to_string();
    run(async {
        let mut client = client::Client::connect(&address, all_books()).await.unwrap();
        follow(&mut client, |tracker, _| tracker.counters().updates > 50).await;
        first.signal("KILL");
        drop(first);
        let _second = Gateway::start(depthcast(&["--listen", &address, "--tcp", "off"]));
        let before = client.tracker().counters().updates;
        follow(&mut client, |tracker, connections| {
            connections > 0 && tracker.counters().updates > before + 50
        })
        .await;
        assert_eq!(client.tracker().counters().faults, 0);
    });
}

#[test]
fn a_client_that_is_killed_harms_nobody() {
    let gateway = Gateway::start(depthcast(&["--listen", "127.0.0.1:0"]));
    let address = gateway.address.to_string();
    run(async {
        let mut client = client::Client::connect(&address, all_books()).await.unwrap();
        for _ in 0..3 {
            let mut other = depthcast(&["check", &address, "--seconds", "60"]).spawn().unwrap();
            let before = client.tracker().counters().updates;
            follow(&mut client, |tracker, _| tracker.counters().updates > before + 30).await;
            other.kill().unwrap();
            other.wait().unwrap();
        }
        let before = client.tracker().counters().updates;
        follow(&mut client, |tracker, _| tracker.counters().updates > before + 30).await;
        assert_eq!((client.tracker().counters().faults, client.tracker().counters().conflated), (0, 0));
    });
}
