//! The moments at which something begins, ends or is not there.

use crate::model::{HOUR, MINUTE, SECOND, trade};
use market::{Event, Nanos, Price, Side, SymbolId};
use stats::{Interval, Kline, KlineQuery, MAX_HISTORY, MIN_HISTORY, Revision, Stats, SymbolStats};

const SYMBOL: SymbolId = SymbolId(0);

fn at(text: &str) -> Nanos {
    text.parse().unwrap()
}

/// Buys of one unit with ids from 1.
fn stats(trades: &[(&str, i64)]) -> Stats {
    let mut stats = Stats::new(MIN_HISTORY);
    for (id, &(time, price)) in (1..).zip(trades) {
        stats.event(&trade(at(time), price, 1, Side::Bid, id));
    }
    stats
}

fn symbol(stats: &Stats) -> &SymbolStats {
    stats.symbol(SYMBOL).expect("it has traded")
}

fn newest(stats: &Stats, interval: Interval, limit: usize, now: Nanos) -> Vec<Kline> {
    let mut klines = Vec::new();
    symbol(stats).klines(&KlineQuery::newest(interval, limit), now, &mut klines);
    klines
}

#[test]
fn before_the_first_trade_there_is_nothing_and_after_it_everything() {
    let mut stats = Stats::new(MIN_HISTORY);
    stats.event(&Event::tick(at("2026-11-23T08:00:00Z")));
    assert!(stats.symbol(SYMBOL).is_none());
    stats.event(&trade(at("2026-11-23T08:00:01.5Z"), -70, 2, Side::Ask, 9));

    let now = at("2026-11-23T08:00:01.5Z");
    let ticker = symbol(&stats).ticker(now);
    assert_eq!((ticker.open, ticker.last, ticker.previous_close), (Price(-70), Price(-70), Price(-70)));
    assert_eq!((ticker.trades, ticker.first_id, ticker.last_id), (1, 9, 9));
    assert_eq!((ticker.base_volume, ticker.quote_volume), (2, -140));
    assert_eq!((ticker.change_percent().rounded(0, 3), ticker.weighted_average().rounded(2, 2)), (0, -70));
    assert_eq!(symbol(&stats).average_price(now).price.rounded(2, 4), -7_000);
    for interval in Interval::ALL {
        let [kline] = newest(&stats, interval, MAX_HISTORY, now)[..] else { panic!("one {interval}") };
        assert_eq!((kline.candle.trades, kline.candle.taker_buy_base, kline.closed), (1, 0, false));
        assert_eq!(symbol(&stats).kline(interval, now, now), Some(kline));
        let before = Nanos(kline.candle.start.0 - 1);
        assert_eq!(symbol(&stats).kline(interval, before, now), None, "{interval} before the first");
        assert_eq!(symbol(&stats).kline(interval, kline.end, now), None, "{interval} in the future");
    }
}

#[test]
fn a_trade_leaves_the_window_after_24_hours_and_at_most_two_minutes() {
    let stats = stats(&[("2026-11-23T08:01:59.999999999Z", 50), ("2026-11-23T08:02:00Z", 60)]);
    let check = |now, open, previous_close, trades, first_id| {
        let ticker = symbol(&stats).ticker(at(now));
        assert_eq!((ticker.open, ticker.previous_close), (Price(open), Price(previous_close)), "{now}");
        assert_eq!((ticker.trades, ticker.first_id), (trades, first_id), "{now}");
        assert_eq!(ticker.close_time, at(now));
    };
    check("2026-11-24T08:01:59.999999999Z", 50, 50, 2, 1);
    check("2026-11-24T08:02:00Z", 60, 50, 1, 2);
    check("2026-11-24T08:03:59.999999999Z", 60, 50, 1, 2);
    check("2026-11-24T08:04:00Z", 60, 60, 0, 0);
}

#[test]
fn an_empty_window_is_flat_at_the_last_price() {
    let stats = stats(&[("2026-11-23T08:00:00Z", 50), ("2026-11-23T08:00:01Z", 60)]);
    let now = at("2027-03-01T00:00:00Z");
    let ticker = symbol(&stats).ticker(now);
    assert_eq!([ticker.open, ticker.high, ticker.low, ticker.last], [Price(60); 4]);
    assert_eq!((ticker.previous_close, ticker.base_volume, ticker.last_id), (Price(60), 0, 0));
    assert_eq!((ticker.change(), ticker.weighted_average().rounded(0, 0)), (Price(0), 60));
    let average = symbol(&stats).average_price(now);
    assert_eq!((average.price.rounded(0, 0), average.close_time), (60, at("2026-11-23T08:00:01Z")));
}

#[test]
fn the_average_price_is_weighted_and_of_five_minutes() {
    let mut stats = Stats::new(MIN_HISTORY);
    stats.event(&trade(at("2026-11-23T08:00:00.9Z"), 100, 1, Side::Bid, 1));
    stats.event(&trade(at("2026-11-23T08:00:01Z"), 200, 2, Side::Bid, 2));
    stats.event(&trade(at("2026-11-23T08:05:00Z"), 500, 1, Side::Bid, 3));
    let average = |now| symbol(&stats).average_price(at(now)).price.rounded(0, 2);
    assert_eq!(average("2026-11-23T08:05:00.99Z"), 25_000);
    assert_eq!(average("2026-11-23T08:05:01Z"), 30_000);
    assert_eq!(average("2026-11-23T08:06:02Z"), 50_000);

    let of_minute = |minute| {
        let kline = symbol(&stats).kline(Interval::OneMinute, at(minute), at("2026-11-23T08:05:00Z"));
        kline.expect("held").candle.weighted_average().rounded(0, 2)
    };
    assert_eq!(of_minute("2026-11-23T08:00:00Z"), 16_667);
    assert_eq!(of_minute("2026-11-23T08:01:00Z"), 20_000, "without a trade the close before it");
}

#[test]
fn what_changed_is_told_in_percent_of_the_open_price() {
    let percent = |first, last| {
        let stats = stats(&[("2026-11-23T08:00:00Z", first), ("2026-11-23T08:00:01Z", last)]);
        let ticker = symbol(&stats).ticker(at("2026-11-23T08:00:02Z"));
        assert_eq!(ticker.change(), Price(last - first));
        ticker.change_percent().rounded(0, 3)
    };
    assert_eq!(percent(60_000, 61_000), 1_667);
    assert_eq!(percent(60_000, 59_000), -1_667);
    assert_eq!(percent(-100, -50), 50_000, "a price that rises changes upwards, wherever zero is");
    assert_eq!(percent(0, 5), 0);
}

#[test]
fn candles_without_trades_are_flat_and_closed_candles_are_told_once_their_time_is_over() {
    let stats = stats(&[("2026-11-23T08:00:10Z", 50), ("2026-11-23T08:03:20Z", 40)]);
    let told: Vec<_> = newest(&stats, Interval::OneMinute, 10, at("2026-11-23T08:05:00Z"))
        .iter()
        .map(|k| (k.candle.open.0, k.candle.low.0, k.candle.base_volume, k.candle.first_id, k.closed))
        .collect();
    let flat = |price, closed| (price, price, 0, 0, closed);
    assert_eq!(
        told,
        [
            (50, 50, 1, 1, true),
            flat(50, true),
            flat(50, true),
            (40, 40, 1, 2, true),
            flat(40, true),
            flat(40, false)
        ]
    );
}

#[test]
fn a_close_time_is_the_last_millisecond() {
    let stats = stats(&[("2024-02-29T23:59:59.9999Z", 1)]);
    let check = |interval: Interval, text| {
        let kline =
            symbol(&stats).kline(interval, at("2024-02-29T23:59:59.9999Z"), at("2024-03-01T00:00:00Z"));
        assert_eq!(kline.map(|kline| kline.close_time()), Some(at(text)), "{interval}");
    };
    check(Interval::OneSecond, "2024-02-29T23:59:59.999Z");
    check(Interval::OneWeek, "2024-03-03T23:59:59.999Z");
    check(Interval::OneMonth, "2024-02-29T23:59:59.999Z");
}

#[test]
fn months_and_weeks_close_where_the_calendar_says() {
    let stats = stats(&[
        ("2024-02-01T00:00:00Z", 10),
        ("2024-02-29T23:59:59.999999999Z", 20),
        ("2024-03-01T00:00:00Z", 30),
        ("2024-03-31T12:00:00Z", 40),
        ("2024-04-01T00:00:00Z", 50),
    ]);
    let now = at("2024-04-01T00:00:00Z");
    let told = |interval| -> Vec<_> {
        let klines = newest(&stats, interval, 3, now);
        klines.iter().map(|k| (k.candle.start, k.candle.trades, k.candle.close.0, k.closed)).collect()
    };
    assert_eq!(
        told(Interval::OneMonth),
        [
            (at("2024-02-01T00:00:00Z"), 2, 20, true),
            (at("2024-03-01T00:00:00Z"), 2, 40, true),
            (at("2024-04-01T00:00:00Z"), 1, 50, false)
        ]
    );
    assert_eq!(
        told(Interval::OneWeek),
        [
            (at("2024-03-18T00:00:00Z"), 0, 30, true),
            (at("2024-03-25T00:00:00Z"), 1, 40, true),
            (at("2024-04-01T00:00:00Z"), 1, 50, false)
        ]
    );
}

#[test]
fn a_late_trade_changes_nothing_that_is_closed() {
    let mut stats = stats(&[("2026-11-23T08:00:59Z", 50)]);
    stats.event(&Event::tick(at("2026-11-23T08:01:00Z")));
    let now = stats.feed_time();
    let closed = symbol(&stats).kline(Interval::OneMinute, at("2026-11-23T08:00:59Z"), now).expect("held");
    assert!(closed.closed);

    stats.event(&trade(at("2026-11-23T08:00:59.9Z"), 90, 1, Side::Bid, 2));
    assert_eq!(symbol(&stats).kline(Interval::OneMinute, closed.candle.start, now), Some(closed));
    let open = symbol(&stats).kline(Interval::OneMinute, now, now).expect("held");
    assert_eq!((open.candle.high, open.candle.trades), (Price(90), 1));
    assert_eq!(symbol(&stats).last().timestamp, now);
}

#[test]
fn a_time_beyond_all_times_is_none() {
    let mut stats = Stats::new(MIN_HISTORY);
    stats.event(&Event::tick(at("2026-11-23T08:01:00Z")));
    stats.event(&trade(Nanos(u64::MAX), 50, 1, Side::Bid, 1));
    assert_eq!(symbol(&stats).last().timestamp, at("2026-11-23T08:01:00Z"));

    stats.event(&Event::tick(Nanos(u64::MAX)));
    stats.event(&trade(Nanos::MAX, 50, 1, Side::Bid, 2));
    let now = Nanos(u64::MAX);
    assert_eq!(symbol(&stats).ticker(now).trades, 1);
    for interval in Interval::ALL {
        let klines = newest(&stats, interval, MAX_HISTORY, now);
        assert_eq!(klines.last().map(|kline| (kline.candle.trades, kline.closed)), Some((1, false)));
    }
}

#[test]
fn sums_that_do_not_fit_stay_at_their_bound_until_they_are_over() {
    for (price, bound) in [(i64::MAX, i128::MAX), (i64::MIN, i128::MIN)] {
        let mut stats = Stats::new(MIN_HISTORY);
        let start = at("2026-11-23T08:00:00Z");
        let times = [0, 1, SECOND, MINUTE, 2 * MINUTE, HOUR, 2 * HOUR];
        for (id, after) in (1..).zip(times) {
            stats.event(&trade(Nanos(start.0 + after), price, u64::MAX, Side::Bid, id));
        }
        let now = Nanos(start.0 + 2 * HOUR);
        let ticker = symbol(&stats).ticker(now);
        assert_eq!((ticker.base_volume, ticker.quote_volume), (7 * i128::from(u64::MAX), bound));
        ticker.weighted_average().rounded(18, 8);
        for interval in [Interval::OneSecond, Interval::OneDay] {
            let first = symbol(&stats).kline(interval, start, now).expect("held").candle;
            assert_eq!((first.quote_volume, first.taker_buy_quote), (bound, bound), "{interval}");
        }

        let later = Nanos(now.0 + 48 * HOUR);
        stats.event(&trade(later, 7, 3, Side::Bid, 99));
        assert_eq!(symbol(&stats).ticker(later).quote_volume, 21);
    }
}

#[test]
fn a_window_gains_and_loses_a_minute_at_a_time() {
    const DAY: u64 = 24 * 60;
    let begin = at("2026-11-23T08:00:00Z").0 / MINUTE;
    let mut stats = Stats::new(MIN_HISTORY);
    let check = |stats: &Stats, now: u64, last: u64| {
        let first = begin.max((now - DAY) / 2 * 2);
        let ticker = symbol(stats).ticker(Nanos(now * MINUTE));
        assert_eq!((ticker.first_id, ticker.last_id), (first, last));
        assert_eq!((ticker.trades, ticker.base_volume), (last + 1 - first, (last + 1 - first).into()));
        assert_eq!((ticker.low, ticker.high), (Price(first as i64), Price(last as i64)));
        assert_eq!(ticker.previous_close, Price(begin.max(first - 1) as i64));
    };
    let last = begin + 2 * DAY;
    for minute in begin..=last {
        stats.event(&trade(Nanos(minute * MINUTE), minute as i64, 1, Side::Bid, minute));
        check(&stats, minute, minute);
    }
    for now in last..=last + DAY {
        check(&stats, now, last);
    }
}

#[test]
fn queries_give_the_oldest_from_a_time_on_or_else_the_newest() {
    let stats = stats(&[("2026-11-23T08:00:30Z", 50), ("2026-11-23T08:09:30Z", 60)]);
    let now = at("2026-11-23T08:09:30Z");
    let check = |from: Option<&str>, to: &str, limit, minutes: &[u64]| {
        let query = KlineQuery { interval: Interval::OneMinute, from: from.map(at), to: at(to), limit };
        let mut klines = Vec::new();
        symbol(&stats).klines(&query, now, &mut klines);
        let told: Vec<_> = klines.iter().map(|kline| kline.candle.start.0 / MINUTE % 60).collect();
        assert_eq!(told, minutes, "{query:?}");
    };
    check(None, "2026-11-24T00:00:00Z", 3, &[7, 8, 9]);
    check(None, "2026-11-23T08:04:00Z", 3, &[2, 3, 4]);
    check(None, "2026-11-23T08:01:00Z", 3, &[0, 1]);
    check(None, "2026-11-23T07:59:59Z", 3, &[]);
    check(Some("2026-11-23T08:03:00Z"), "2026-11-24T00:00:00Z", 3, &[3, 4, 5]);
    check(Some("2026-11-23T08:03:01Z"), "2026-11-23T08:05:00Z", 3, &[4, 5]);
    check(Some("1970-01-01T00:00:00Z"), "2026-11-24T00:00:00Z", 2, &[0, 1]);
    check(Some("2026-11-23T08:10:00Z"), "2026-11-24T00:00:00Z", 3, &[]);
    check(None, "2026-11-24T00:00:00Z", 0, &[]);
    check(None, "2026-11-24T00:00:00Z", usize::MAX, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn only_symbols_that_traded_have_changed() {
    let mut stats = Stats::new(MIN_HISTORY);
    let of = |symbol, id| Event { symbol: SymbolId(symbol), ..trade(Nanos(id), 1, 1, Side::Bid, id) };
    let changed =
        |stats: &Stats, since| stats.changed_since(since).map(|symbol| symbol.0).collect::<Vec<_>>();
    assert_eq!(changed(&stats, Revision::default()), []);
    stats.event(&of(5, 1));
    stats.event(&of(2, 2));
    let seen = stats.revision();
    stats.event(&Event::tick(Nanos(100)));
    assert_eq!(changed(&stats, seen), []);
    stats.event(&of(3, 3));
    stats.event(&of(2, 4));
    assert_eq!(changed(&stats, seen), [2, 3]);
    assert_eq!(changed(&stats, Revision::default()), [2, 3, 5]);
}
