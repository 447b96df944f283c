//! What subscribers are sent, proved by clients that believe nothing.

mod support;

use gateway::{Config, Threads};
use serde_json::json;
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};
use support::{
    client::Client,
    config, get,
    model::{Book, Top, Trades},
    run, with_gateway,
};

const BTC: &str = "BTC/USDT";

/// Subscribes to a book and follows it for so many updates.
async fn follow(address: SocketAddr, depth: usize, interval_ms: u64, updates: usize) -> Book {
    let mut client = Client::connect(address).await;
    let params = json!({"channel": "book", "symbol": [BTC], "depth": depth, "interval_ms": interval_ms});
    client.subscribe(params).await;
    let mut book = Book::new(depth);
    while book.updates < updates {
        book.take(&client.text().await, BTC);
    }
    book
}

fn check_books(config: Config) {
    with_gateway(config, |address| async move {
        let each_event = [1, 5, 10, 100, 1000, 0].map(|depth| follow(address, depth, 0, 200));
        let with_interval = [(10, 10, 40), (0, 100, 8)]
            .map(|(depth, interval_ms, updates)| follow(address, depth, interval_ms, updates));
        for book in futures(each_event).await.into_iter().chain(futures(with_interval).await) {
            assert_eq!(book.snapshots, ["subscribe"], "nobody was slow");
        }
    });
}

/// Runs all at once.
async fn futures<F: Future + 'static, const N: usize>(all: [F; N]) -> Vec<F::Output> {
    let local = tokio::task::LocalSet::new();
    let tasks: Vec<_> = all.into_iter().map(|future| local.spawn_local(future)).collect();
    local
        .run_until(async {
            let mut outputs = Vec::new();
            for task in tasks {
                outputs.push(task.await.unwrap());
            }
            outputs
        })
        .await
}

#[test]
fn a_client_can_prove_its_book_at_any_depth_and_interval() {
    check_books(config());
}

#[test]
fn so_it_can_with_the_feed_inside_the_worker_and_with_several_workers() {
    check_books(Config { threads: Threads::Inline, ..config() });
    check_books(Config { threads: Threads::Split, workers: Some(3), ..config() });
}

#[test]
fn top_and_trades_agree_with_the_book() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect(address).await;
        let begun = client.subscribe(json!({"channel": "trade", "symbol": [BTC]})).await;
        for params in
            [json!({"channel": "book", "symbol": [BTC]}), json!({"channel": "bbo", "symbol": [BTC]})]
        {
            client.send(json!({"method": "subscribe", "params": params})).await;
        }
        let mut book = Book::new(10);
        let mut trades = Trades::after(begun["seq"].as_u64().unwrap());
        let mut top = Top::default();
        let mut tops: BTreeMap<u64, _> = BTreeMap::new();
        let mut compared = 0;
        while trades.count < 20 || top.updates < 50 || compared < 50 {
            let text = client.text().await;
            if book.take(&text, BTC) {
                tops.insert(book.last, book.best());
            } else if !top.take(&text) {
                trades.take(&text);
            }
            if let Some(best) = tops.get(&top.last) {
                assert_eq!(*best, top.best, "at seq {}", top.last);
                compared += 1;
            }
        }
    });
}

#[test]
fn a_client_that_comes_back_goes_on_where_it_was() {
    with_gateway(config(), |address| async move {
        let mut book = follow(address, 10, 0, 20).await;
        let mut client = Client::connect(address).await;
        let params = json!({"channel": "book", "symbol": [BTC], "depth": 10, "since": book.token(BTC)});
        let result = client.subscribe(params).await;
        assert_eq!(result["recovered"], true);
        assert_eq!(result["seq"], book.last);
        while book.updates < 60 {
            book.take(&client.text().await, BTC);
        }
        assert_eq!(book.snapshots, ["subscribe"], "the one of the first connection");
    });
}

#[test]
fn a_token_of_another_epoch_is_answered_with_a_snapshot() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect(address).await;
        let since = format!("00000000000000aa:{BTC}@10=3");
        let result =
            client.subscribe(json!({"channel": "book", "symbol": [BTC], "depth": 10, "since": since})).await;
        assert_eq!(result["recovered"], false);
        let mut book = Book::new(10);
        while book.updates < 3 {
            book.take(&client.text().await, BTC);
        }
        assert_eq!(book.snapshots, ["resume"]);
    });
}

#[test]
fn a_book_over_http_is_that_of_a_subscriber() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect(address).await;
        client.subscribe(json!({"channel": "book", "symbol": [BTC], "depth": 10})).await;
        let mut book = Book::new(10);
        let mut checksums = BTreeMap::new();
        while book.updates < 5 {
            book.take(&client.text().await, BTC);
            checksums.insert(book.last, book.checksum());
        }
        let answer = get(address, "/v1/book?symbol=BTCUSDT&depth=10").await.json();
        let seq = answer["seq"].as_u64().unwrap();
        assert!(seq >= book.last, "what a client has seen is known to everyone who asks later");
        while book.last <= seq {
            book.take(&client.text().await, BTC);
            checksums.insert(book.last, book.checksum());
        }
        // Between two messages the view did not change.
        let (_, checksum) = checksums.range(..=seq).next_back().unwrap();
        assert_eq!(answer["checksum"], *checksum);
    });
}

#[test]
fn trades_can_be_fetched_by_range() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect(address).await;
        let begun = client.subscribe(json!({"channel": "trade", "symbol": [BTC]})).await;
        let first = begun["seq"].as_u64().unwrap() + 1;
        let mut trades = Trades::after(first - 1);
        while trades.count < 20 {
            trades.take(&client.text().await);
        }
        let path = format!("/v1/trades?symbol={BTC}&from_seq={first}&to_seq={}", trades.last);
        let fetched = get(address, &path).await.json();
        assert_eq!(fetched["trades"].as_array().unwrap().len(), trades.count);
        let newest = get(address, "/v1/trades?symbol=BTC/USDT&limit=5").await.json();
        assert_eq!(newest["trades"].as_array().unwrap().len(), 5);
    });
}

#[test]
fn a_client_that_does_not_read_harms_nobody_and_is_caught_up_exactly() {
    let config = Config { rate: Some(20_000), send_buffer: 16 << 10, ..config() };
    with_gateway(config, |address| async move {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let mut slow = Client::over(socket.connect(address).await.unwrap(), address, "/feed").await;
        slow.subscribe(json!({"channel": "book", "symbol": [BTC], "depth": 100})).await;
        // Thousands of messages, far more than the buffers of a socket hold.
        let quick = follow(address, 10, 0, 5_000).await;
        assert_eq!(quick.snapshots, ["subscribe"]);
        let mut book = Book::new(100);
        while book.last < quick.last {
            book.take(&slow.text().await, BTC);
        }
        assert!(book.conflated > 0, "{} updates and none of them merged", book.updates);
    });
}

#[test]
fn a_shutdown_is_announced_and_closes_in_good_order() {
    let running = gateway::start(config()).unwrap();
    let address = running.address();
    let ended = std::thread::scope(|scope| {
        let (connected, is_connected) = std::sync::mpsc::channel();
        let client = scope.spawn(move || {
            let mut closed = (0, String::new());
            run(async {
                let mut client = Client::connect(address).await;
                client.subscribe(json!({"channel": "book", "symbol": [BTC]})).await;
                connected.send(()).unwrap();
                let status = client.json_where(|message| message["channel"] == "status").await;
                assert_eq!(status["data"][0]["event"], "shutdown");
                assert_eq!(status["data"][0]["reason"], "deploy");
                let retry_after = status["data"][0]["retry_after_ms"].as_u64().unwrap();
                assert!((1..60_000).contains(&retry_after), "{retry_after}");
                closed = client.closed().await;
            });
            closed
        });
        is_connected.recv_timeout(Duration::from_secs(20)).unwrap();
        running.shut_down("deploy");
        client.join().unwrap()
    });
    assert_eq!(ended.0, 1001);
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}
