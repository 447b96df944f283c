//! What the end of a recording means: the gateway stays, or it ends in order, when all clients have all of it.

use crate::admin::{post, record};
use crate::support::{
    client::Client,
    program::{Gateway, depthcast},
    run,
};
use serde_json::json;

#[test]
fn a_gateway_that_is_to_end_with_its_recording_ends_once_its_clients_have_it() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let feed = format!("journal:{}", dir.path().display());
    let arguments =
        ["--listen", "127.0.0.1:0", "--feed", &feed, "--hold", "--speed", "max", "--on-end", "exit"];
    let mut gateway = Gateway::start(depthcast(&arguments));
    run(async {
        assert_eq!(post_later(&gateway, "pause").await, 200);
        let mut clients = Vec::new();
        for (policy, interval) in [("lossless", 0), ("conflate", 1000)] {
            let mut client = Client::connect(gateway.address).await;
            let params =
                json!({"channel": "book", "symbol": ["A/B"], "policy": policy, "interval_ms": interval});
            client.subscribe(params).await;
            clients.push(client);
        }
        assert_eq!(post_later(&gateway, "continue").await, 200);
        for mut client in clients {
            let last = client.json_where(|message| message["data"][0]["seq"] == 122).await;
            assert_eq!(last["channel"], "book");
            let status = client.json_where(|message| message["channel"] == "status").await;
            assert_eq!(status["data"][0]["event"], "feed_ended");
            let status = client.json_where(|message| message["channel"] == "status").await;
            let (event, reason) = (&status["data"][0]["event"], &status["data"][0]["reason"]);
            assert_eq!((event, reason), (&json!("shutdown"), &json!("feed_ended")));
            assert_eq!(client.closed().await.0, 1001);
        }
    });
    assert_eq!(gateway.process.wait().unwrap().code(), Some(0));
}

async fn post_later(gateway: &Gateway, what: &str) -> u16 {
    let (address, path) = (gateway.address, format!("/v1/admin/{what}"));
    tokio::task::spawn_blocking(move || post(address, &path, "{}").status).await.unwrap()
}

#[test]
fn an_end_that_never_comes_is_no_end_to_exit_at() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let feed = format!("journal:{}", dir.path().display());
    let output = depthcast(&["--feed", &feed, "--loop", "--on-end", "exit"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("--on-end: with --loop there is no end"), "{said}");
}
