//! The REST of the Binance dialect, over real sockets: what clients load, what is wrong with a request, and that a book which is
//! fetched goes on with the stream.

use super::support::{Answer, client::Client, config, get, get_until, request, run, with_gateway};
use feed::{FeedError, FeedSource, FeedState, FeedStatus, PauseHandle};
use gateway::{Config, Feed};
use market::{Epoch, Event, Instruments, Nanos};
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

async fn asked(address: SocketAddr, path: &str) -> Value {
    let answer = get_until(address, path, |answer| answer.status != 503).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

async fn next(client: &mut Client) -> Value {
    client.json_where(|_| true).await
}

#[test]
fn clients_load_what_they_need_before_they_begin() {
    with_gateway(config(), |address| async move {
        assert_eq!(asked(address, "/api/v3/ping").await, json!({}));
        let time = asked(address, "/api/v3/time").await;
        assert!(time["serverTime"].as_u64().unwrap() > 1_700_000_000_000);
        let all = asked(address, "/api/v3/exchangeInfo").await;
        let names: Vec<&Value> =
            all["symbols"].as_array().unwrap().iter().map(|symbol| &symbol["symbol"]).collect();
        assert_eq!(names, ["BTCUSDT", "ETHUSDT"]);
        assert_eq!(all["symbols"][0]["filters"][0]["filterType"], "PRICE_FILTER");
        assert_eq!(all["rateLimits"][0]["limit"], 3_000);
        let one = asked(address, "/api/v3/exchangeInfo?symbol=ETHUSDT").await;
        assert_eq!(one["symbols"], json!([all["symbols"][1]]));
        let two = "/api/v3/exchangeInfo?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D&showPermissionSets=false";
        let two = asked(address, two).await;
        assert_eq!(two["symbols"], json!([all["symbols"][1], all["symbols"][0]]));
    });
}

#[test]
fn each_answer_says_how_much_was_asked_and_may_be_read_where_pages_may() {
    let config = Config { allow_origin: vec!["https://example.com".into()], ..config() };
    with_gateway(config, |address| async move {
        for (number, path) in ["/api/v3/ping", "/api/v3/depth", "/api/v3/nothing"].into_iter().enumerate() {
            let answer = request(address, "GET", path, &[("origin", "https://example.com")]).await;
            let weight = answer.header("x-mbx-used-weight-1m").parse::<usize>().unwrap();
            // A minute may have begun in between.
            assert!(weight == number + 1 || weight <= number, "{path}: {weight}");
            assert_eq!(answer.header("x-mbx-used-weight").parse(), Ok(weight));
            assert_eq!(answer.header("access-control-allow-origin"), "https://example.com");
            assert!(!answer.header("date").is_empty());
        }
        let head = request(address, "HEAD", "/api/v3/time", &[]).await;
        assert_eq!((head.status, &*head.body), (200, ""));
    });
}

#[test]
fn what_is_wrong_has_the_venues_code() {
    with_gateway(config(), |address| async move {
        let check = async |path: &str, status, code| {
            let answer = get(address, &format!("/api/v3/{path}")).await;
            assert_eq!(
                (answer.status, &answer.json()["code"]),
                (status, &json!(code)),
                "{path}: {}",
                answer.body
            );
            assert!(answer.json()["msg"].as_str().unwrap().len() > 10, "{}", answer.body);
        };
        check("depth", 400, -1102).await;
        check("depth?symbol=", 400, -1102).await;
        check("depth?symbol=NOTHING", 400, -1121).await;
        check("depth?symbol=btcusdt", 400, -1100).await;
        check("depth?symbol=BTC/USDT", 400, -1100).await;
        check("depth?symbol=BTCUSDT&limit=x", 400, -1100).await;
        check("depth?symbol=BTCUSDT&limit=0", 400, -1130).await;
        check("depth?symbol=BTCUSDT&symbol=ETHUSDT", 400, -1101).await;
        check("depth?symbol=BTCUSDT&depth=5", 400, -1104).await;
        check("exchangeInfo?symbols=BTCUSDT", 400, -1100).await;
        check("exchangeInfo?symbol=BTCUSDT&symbols=[%22BTCUSDT%22]", 400, -1128).await;
        check("ticker/price?symbols=[%22NOTHING%22]", 400, -1121).await;
        check("aggTrades?symbol=BTCUSDT&startTime=2&endTime=1", 400, -1130).await;
        check("account", 404, -1020).await;
        let answer = request(address, "POST", "/api/v3/order", &[]).await;
        assert_eq!((answer.status, &answer.json()["code"]), (405, &json!(-1020)));
    });
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let config = Config { http_requests_per_second: 1, ..config() };
    with_gateway(config, |address| async move {
        let answer = get_until(address, "/api/v3/ping", |answer| answer.status != 200).await;
        assert_eq!((answer.status, &answer.json()["code"]), (429, &json!(-1003)));
        assert_eq!(answer.header("retry-after"), "1");
    });
}

/// A feed that says nothing for so long.
struct Late(Feed, Duration, Option<Nanos>);

impl FeedSource for Late {
    fn instruments(&self) -> &Instruments {
        self.0.source.instruments()
    }

    fn epoch(&self) -> Option<Epoch> {
        self.0.source.epoch()
    }

    fn poll(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        let Late(feed, silence, begun) = self;
        if now < *begun.get_or_insert(now) + *silence {
            return Ok(FeedStatus { state: FeedState::Idle, watermark: Nanos::ZERO });
        }
        feed.source.poll(now, out)
    }
}

/// The answer to who asks for a book of a feed that says nothing for so long.
fn asked_of_late(silence: Duration) -> Answer {
    let late = Late(Feed::open(&config()).unwrap(), silence, None);
    let feed = Feed { source: Box::new(late), hold: PauseHandle::default(), remote: None, switch: None };
    let running = gateway::start_with(config(), feed).unwrap();
    let mut answer = None;
    run(async { answer = Some(get(running.address(), "/api/v3/depth?symbol=BTCUSDT").await) });
    running.shut_down("the test is over");
    answer.unwrap()
}

#[test]
fn a_book_that_has_not_begun_is_waited_for() {
    let answer = asked_of_late(Duration::from_millis(300));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = asked_of_late(Duration::from_secs(3_600));
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{}", answer.body);
    assert_eq!(answer.json()["code"], -1001);
}

#[test]
fn who_fetches_a_book_lets_a_held_feed_go() {
    // Some clients do that before they open a stream.
    with_gateway(Config { hold: true, ..config() }, |address| async move {
        let answer = get(address, "/api/v3/depth?symbol=ETHUSDT").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    });
}

#[test]
fn trades_are_those_of_the_stream() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect_to(address, "/ws/btcusdt@trade").await;
        let mut streamed = BTreeMap::new();
        while streamed.len() < 20 {
            let event = next(&mut client).await;
            streamed.insert(event["t"].as_u64().unwrap(), event);
        }
        let (first, last) = (*streamed.keys().next().unwrap(), *streamed.keys().next_back().unwrap());
        assert_eq!(last - first, 19, "they are numbered one by one");
        let path = format!("/api/v3/historicalTrades?symbol=BTCUSDT&fromId={first}&limit=20");
        let listed = asked(address, &path).await;
        let path = format!("/api/v3/aggTrades?symbol=BTCUSDT&fromId={first}&limit=20");
        let aggregates = asked(address, &path).await;
        let newest = asked(address, "/api/v3/trades?symbol=BTCUSDT&limit=1000").await;
        for (at, event) in streamed.values().enumerate() {
            let (trade, aggregate) = (&listed[at], &aggregates[at]);
            let pairs = [("id", "t"), ("price", "p"), ("qty", "q"), ("time", "T"), ("isBuyerMaker", "m")];
            pairs.iter().for_each(|(rest, stream)| assert_eq!(trade[*rest], event[*stream]));
            ["p", "q", "T", "m", "M"].iter().for_each(|name| assert_eq!(aggregate[*name], event[*name]));
            ["a", "f", "l"].iter().for_each(|name| assert_eq!(aggregate[*name], event["t"]));
            assert!(newest.as_array().unwrap().contains(trade));
        }
        assert!(newest.as_array().unwrap().len() <= 1_000);
        let price = asked(address, "/api/v3/ticker/price?symbol=BTCUSDT").await;
        assert_eq!((&price["symbol"], price["price"].is_string()), (&json!("BTCUSDT"), true));
    });
}

#[test]
fn tops_are_told_of_one_symbol_of_some_and_of_all() {
    with_gateway(config(), |address| async move {
        let all = get_until(address, "/api/v3/ticker/bookTicker", |answer| {
            answer.json().as_array().is_some_and(|list| list.len() == 2)
        });
        let all = all.await.json();
        assert_eq!((&all[0]["symbol"], &all[1]["symbol"]), (&json!("BTCUSDT"), &json!("ETHUSDT")));
        let one = asked(address, "/api/v3/ticker/bookTicker?symbol=ETHUSDT").await;
        let number = |name: &str| one[name].as_str().unwrap().parse::<f64>().unwrap();
        assert!(number("bidPrice") < number("askPrice") && number("bidQty") > 0.0 && number("askQty") > 0.0);
        let some = asked(address, "/api/v3/ticker/bookTicker?symbols=[%22ETHUSDT%22]").await;
        assert_eq!(some[0]["symbol"], "ETHUSDT");
    });
}

#[test]
fn a_book_goes_on_with_the_first_event_after_it_on_whichever_worker() {
    let config = Config { workers: Some(3), ..config() };
    with_gateway(config, |address| async move {
        let mut client = Client::connect_to(address, "/ws/btcusdt@depth@100ms").await;
        let mut ends = vec![next(&mut client).await["u"].as_u64().unwrap()];
        let mut fetched = Vec::new();
        for _ in 0..10 {
            // One connection each, so that any of the workers answers.
            for _ in 0..3 {
                let book = asked(address, "/api/v3/depth?limit=5&symbol=BTCUSDT").await;
                assert!(["bids", "asks"].iter().all(|side| book[*side].as_array().unwrap().len() == 5));
                let id = book["lastUpdateId"].as_u64().unwrap();
                assert!(id >= *ends.last().unwrap(), "{id} is older than what was sent already: {ends:?}");
                assert!(
                    fetched.last().is_none_or(|last| id >= *last),
                    "it went back: {id} after {fetched:?}"
                );
                fetched.push(id);
            }
            ends.push(following(&mut client, &ends).await);
        }
        while ends.last() < fetched.last() {
            ends.push(following(&mut client, &ends).await);
        }
        assert!(fetched.iter().all(|id| ends.contains(id)), "{fetched:?} {ends:?}");
    });
}

/// Where the next event ends, which goes on where the last one did.
async fn following(client: &mut Client, ends: &[u64]) -> u64 {
    let event = next(client).await;
    assert_eq!(event["U"].as_u64().unwrap(), ends.last().unwrap() + 1);
    event["u"].as_u64().unwrap()
}
