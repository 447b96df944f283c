//! REST, and what WebSocket says of the same.

use super::support::{Answer, client::Client, config, get, get_until, request, run, with_gateway};
use feed::{FeedError, FeedSource, FeedState, FeedStatus, PauseHandle};
use gateway::Feed;
use market::{Epoch, Event, Instruments, Nanos};
use serde_json::{Value, json};
use std::net::SocketAddr;

async fn result(address: SocketAddr, path: &str) -> Value {
    let answer = get(address, &format!("/0/public/{path}")).await;
    assert_eq!((answer.status, answer.json()["error"].clone()), (200, json!([])), "{}", answer.body);
    answer.json()["result"].clone()
}

/// Waits until something was traded.
async fn traded(address: SocketAddr) {
    let some =
        |answer: &Answer| answer.json()["result"]["BTCUSDT"].as_array().is_some_and(|all| all.len() > 9);
    get_until(address, "/0/public/Trades?pair=BTCUSDT", some).await;
}

#[test]
fn what_clients_load_first_is_there() {
    with_gateway(config(), |address| async move {
        traded(address).await;
        let time = result(address, "Time").await;
        assert!(time["unixtime"].as_u64().unwrap() > 1_700_000_000, "{time}");
        assert_eq!(result(address, "SystemStatus").await["status"], "online");
        let assets = result(address, "Assets?asset=BTC").await;
        assert_eq!(
            assets,
            json!({"BTC": {"aclass": "currency", "altname": "BTC", "decimals": 5, "display_decimals": 5, "status": "enabled"}})
        );
        let pairs = result(address, "AssetPairs").await;
        assert_eq!(pairs.as_object().unwrap().len(), 2);
        for name in ["BTCUSDT", "BTC%2FUSDT"] {
            let pairs = result(address, &format!("AssetPairs?pair={name}")).await;
            let pair = &pairs["BTCUSDT"];
            let shown = (&pair["wsname"], &pair["base"], &pair["quote"], &pair["tick_size"], &pair["status"]);
            let wanted = ["BTC/USDT", "BTC", "USDT", "0.01", "online"].map(|text| json!(text));
            assert_eq!(shown, (&wanted[0], &wanted[1], &wanted[2], &wanted[3], &wanted[4]));
            assert_eq!((&pair["pair_decimals"], &pair["lot_decimals"]), (&json!(2), &json!(5)));
        }
    });
}

#[test]
fn a_book_by_rest_is_not_older_than_what_a_client_was_sent() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect_to(address, "/v2").await;
        client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"], "depth": 10})).await;
        for _ in 0..20 {
            let message = client.json_where(|message| message["channel"] == "book").await;
            let sent = message["data"][0]["timestamp"].as_str().unwrap().to_owned();
            let depth = result(address, "Depth?pair=BTCUSDT&count=3").await;
            let book = &depth["BTCUSDT"];
            let [bids, asks] = ["bids", "asks"].map(|side| book[side].as_array().unwrap());
            assert_eq!((bids.len(), asks.len()), (3, 3));
            let price = |level: &Value| level[0].as_str().unwrap().parse::<f64>().unwrap();
            assert!(price(&bids[1]) < price(&bids[0]) && price(&bids[0]) < price(&asks[0]), "{book}");
            let seconds = Nanos(bids[0][2].as_u64().unwrap() * 1_000_000_000 + 999_999_999);
            assert!(seconds >= sent.parse().unwrap(), "{sent} was sent before, and then {seconds}");
        }
    });
}

/// Whichever worker answers, and however far it has come by itself.
#[test]
fn an_answer_knows_each_trade_that_a_client_was_sent() {
    let config = gateway::Config { workers: Some(3), ..config() };
    with_gateway(config, |address| async move {
        let mut client = Client::connect_to(address, "/v2").await;
        client.subscribe(json!({"channel": "trade", "symbol": ["BTC/USDT"], "snapshot": false})).await;
        for _ in 0..30 {
            let message = client.json_where(|message| message["channel"] == "trade").await;
            let sent = message["data"][0]["trade_id"].as_u64().unwrap();
            let ticker = result(address, "Ticker?pair=BTCUSDT").await;
            let trades = result(address, "Trades?pair=BTCUSDT&count=1").await;
            assert!(trades["BTCUSDT"][0][6].as_u64().unwrap() >= sent, "{trades} after {sent}");
            // The simulation counts its trades from 1.
            assert!(ticker["BTCUSDT"]["t"][1].as_u64().unwrap() >= sent, "{ticker} after {sent}");
        }
    });
}

#[test]
fn who_fetches_a_book_lets_a_held_feed_go() {
    with_gateway(gateway::Config { hold: true, ..config() }, |address| async move {
        let depth = result(address, "Depth?pair=ETHUSDT").await;
        assert!(!depth["ETHUSDT"]["bids"].as_array().unwrap().is_empty(), "{depth}");
    });
}

#[test]
fn a_book_that_does_not_begin_is_unavailable() {
    /// A feed that says nothing.
    struct Silent(Feed);
    impl FeedSource for Silent {
        fn instruments(&self) -> &Instruments {
            self.0.source.instruments()
        }
        fn epoch(&self) -> Option<Epoch> {
            None
        }
        fn poll(&mut self, now: Nanos, _: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
            Ok(FeedStatus { state: FeedState::Idle, watermark: now })
        }
    }
    let feed = Feed {
        source: Box::new(Silent(Feed::open(&config()).unwrap())),
        hold: PauseHandle::default(),
        remote: None,
        switch: None,
    };
    let running = gateway::start_with(config(), feed).unwrap();
    run(async {
        let answer = get(running.address(), "/0/public/Depth?pair=BTCUSDT").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
        assert_eq!(answer.json(), json!({"error": ["EService:Unavailable"]}));
        assert_eq!(result(running.address(), "SystemStatus").await["status"], "maintenance");
        let ticker = result(running.address(), "Ticker?pair=BTCUSDT").await;
        assert_eq!(ticker["BTCUSDT"]["c"], json!(["0.00", "0.00000"]), "nothing was traded");
    });
    running.shut_down("the test is over");
}

#[test]
fn trades_go_on_from_last_without_a_hole() {
    with_gateway(config(), |address| async move {
        traded(address).await;
        let first = result(address, "Trades?pair=BTCUSDT&since=0&count=2").await;
        let mut last = first["last"].as_str().unwrap().to_owned();
        let id = |trade: &Value| trade[6].as_u64().unwrap();
        let mut next = id(&first["BTCUSDT"][0]);
        let mut pages = vec![first];
        for _ in 0..3 {
            pages.push(result(address, &format!("Trades?pair=BTCUSDT&since={last}&count=2")).await);
            last = pages.last().unwrap()["last"].as_str().unwrap().to_owned();
        }
        for trade in pages.iter().flat_map(|page| page["BTCUSDT"].as_array().unwrap()) {
            assert_eq!(id(trade), next);
            next += 1;
        }
    });
}

#[test]
fn tickers_and_candles_come_to_the_same_over_rest_and_over_websocket() {
    with_gateway(config(), |address| async move {
        traded(address).await;
        let mut client = Client::connect_to(address, "/v2").await;
        client.subscribe(json!({"channel": "ohlc", "symbol": ["BTC/USDT"], "interval": 1440})).await;
        client.subscribe(json!({"channel": "ticker", "symbol": ["BTC/USDT"]})).await;
        let candle = client.json_where(|message| message["channel"] == "ohlc").await;
        let ticker = client.json_where(|message| message["channel"] == "ticker").await;
        let (candle, ticker) = (&candle["data"][0], &ticker["data"][0]);
        let later = result(address, "OHLC?pair=BTCUSDT&interval=1440").await["BTCUSDT"][0].clone();
        let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
        assert_eq!(number(&later[1]), candle["open"].as_f64().unwrap());
        assert!(number(&later[2]) >= candle["high"].as_f64().unwrap());
        assert!(number(&later[6]) >= candle["volume"].as_f64().unwrap());
        assert!(later[7].as_u64() >= candle["trades"].as_u64());
        let later = result(address, "Ticker?pair=BTCUSDT").await["BTCUSDT"].clone();
        assert!(number(&later["v"][1]) >= ticker["volume"].as_f64().unwrap());
        assert!(number(&later["l"][1]) <= ticker["low"].as_f64().unwrap());
        assert!(number(&later["v"][0]) <= number(&later["v"][1]), "today is less than a day");
    });
}

#[test]
fn what_is_wrong_is_said_as_the_venue_says_it() {
    with_gateway(config(), |address| async move {
        for (path, error) in [
            ("Depth?pair=DOGEUSD", "EQuery:Unknown asset pair"),
            ("Ticker?pair=BTCUSDT,DOGEUSD", "EQuery:Unknown asset pair"),
            ("Assets?asset=DOGE", "EQuery:Unknown asset"),
            ("Depth", "EGeneral:Invalid arguments:pair"),
            ("Depth?pair=BTCUSDT&count=0", "EGeneral:Invalid arguments:count"),
            ("OHLC?pair=BTCUSDT&interval=7", "EGeneral:Invalid arguments:interval"),
            ("Trades?pair=BTCUSDT&since=yesterday", "EGeneral:Invalid arguments:since"),
            ("Spread?pair=BTCUSDT", "EGeneral:Unknown method"),
        ] {
            let answer = get(address, &format!("/0/public/{path}")).await;
            assert_eq!((answer.status, answer.json()), (200, json!({"error": [error]})), "{path}");
        }
        let answer = request(address, "POST", "/0/public/Time", &[]).await;
        assert_eq!(
            (answer.status, answer.json()["error"][0].as_str()),
            (405, Some("EGeneral:Unknown method"))
        );
    });
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    with_gateway(gateway::Config { http_requests_per_second: 1, ..config() }, |address| async move {
        let refused = get_until(address, "/0/public/Time", |answer| answer.status == 429).await;
        assert_eq!(refused.json(), json!({"error": ["EAPI:Rate limit exceeded"]}));
        assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    });
}
