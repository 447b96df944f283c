//! What one address may do: new streaming connections, plain requests. Shared by all workers, and bounded in memory.

use crate::config::Config;
use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::HashMapStateStore,
};
use market::{Nanos, clock};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Over how long new connections are counted.
const CONNECTION_WINDOW: Duration = Duration::from_secs(300);
/// Over how long requests are counted for those who want to know how many they made.
const MINUTE: Duration = Duration::from_secs(60);
/// How many seconds of its rate an address may use at once.
const HTTP_BURST: u32 = 4;
/// Beyond so many addresses, those that have their whole budget again are forgotten.
const MANY: usize = 16_384;

/// The budgets of all addresses.
pub(crate) struct Addresses {
    connections: Option<Budgets>,
    requests: Option<Budgets>,
    weights: Mutex<HashMap<IpAddr, Weight>>,
}

/// How much an address has asked for in a minute.
struct Weight {
    /// Since 1970.
    minute: u64,
    used: u32,
}

impl Addresses {
    pub(crate) fn new(config: &Config) -> Addresses {
        let connections = NonZeroU32::new(config.connections_per_address).and_then(|most| {
            let quota = Quota::with_period(CONNECTION_WINDOW / most.get())?;
            Some(Budgets::new(quota.allow_burst(most)))
        });
        let requests = NonZeroU32::new(config.http_requests_per_second).map(|rate| {
            Budgets::new(
                Quota::per_second(rate)
                    .allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(HTTP_BURST - 1))),
            )
        });
        Addresses { connections, requests, weights: Mutex::default() }
    }

    /// Takes one new streaming connection from the address's budget. Loopback is exempt.
    ///
    /// # Errors
    /// How long to wait, when the budget is used up.
    pub(crate) fn connect(&self, address: IpAddr) -> Result<(), Duration> {
        match &self.connections {
            Some(budgets) if !address.to_canonical().is_loopback() => budgets.take(address),
            _ => Ok(()),
        }
    }

    /// Takes one plain request from the address's budget.
    ///
    /// # Errors
    /// How long to wait, when the budget is used up.
    pub(crate) fn request(&self, address: IpAddr) -> Result<(), Duration> {
        self.requests.as_ref().map_or(Ok(()), |budgets| budgets.take(address))
    }

    /// Counts one request, and tells how many that makes in this minute.
    pub(crate) fn weigh(&self, address: IpAddr, now: Nanos) -> u32 {
        let minute = now.0 / MINUTE.as_nanos() as u64;
        let mut weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        if weights.len() >= MANY {
            weights.retain(|_, weight| weight.minute == minute);
        }
        // So many in one minute is no address that anybody looks at alone.
        if weights.len() >= MANY {
            weights.clear();
        }
        let weight = weights.entry(owner(address)).or_insert(Weight { minute, used: 0 });
        if weight.minute != minute {
            *weight = Weight { minute, used: 0 };
        }
        weight.used = weight.used.saturating_add(1);
        weight.used
    }
}

struct Budgets(RateLimiter<IpAddr, HashMapStateStore<IpAddr>, MarketClock, NoOpMiddleware<Duration>>);

impl Budgets {
    fn new(quota: Quota) -> Budgets {
        Budgets(RateLimiter::new(quota, HashMapStateStore::default(), MarketClock))
    }

    fn take(&self, address: IpAddr) -> Result<(), Duration> {
        if self.0.len() > MANY {
            self.0.retain_recent();
        }
        let refused = self.0.check_key(&owner(address)).err();
        refused.map_or(Ok(()), |until| Err(until.wait_time_from(MarketClock.now())))
    }
}

/// Who stands behind an address: with IPv6, whoever has one has 2^64 of them.
fn owner(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

/// The gateway's clock, as this library wants it.
#[derive(Debug, Clone, Copy)]
struct MarketClock;

impl Clock for MarketClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(clock::now().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(connections_per_address: u32, http_requests_per_second: u32) -> Addresses {
        Addresses::new(&Config { connections_per_address, http_requests_per_second, ..Config::default() })
    }

    fn taken(addresses: &Addresses, address: &str) -> usize {
        let address = address.parse().unwrap();
        (0..20).filter(|_| addresses.connect(address).is_ok()).count()
    }

    #[test]
    fn each_address_has_a_budget_of_its_own() {
        let addresses = addresses(3, 0);
        assert_eq!(taken(&addresses, "192.0.2.1"), 3);
        assert_eq!(taken(&addresses, "192.0.2.2"), 3);
        assert_eq!(taken(&addresses, "::ffff:192.0.2.2"), 0, "the same address in another form");
        let wait = addresses.connect("192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(wait > Duration::from_secs(99) && wait <= Duration::from_secs(100), "{wait:?}");
    }

    #[test]
    fn a_network_of_ipv6_addresses_is_one_owner() {
        let addresses = addresses(3, 0);
        assert_eq!(taken(&addresses, "2001:db8::1"), 3);
        assert_eq!(taken(&addresses, "2001:db8::ffff:2"), 0);
        assert_eq!(taken(&addresses, "2001:db8:0:1::1"), 3);
    }

    #[test]
    fn loopback_may_connect_as_often_as_it_likes_and_zero_is_no_limit() {
        assert_eq!(taken(&addresses(3, 0), "127.0.0.1"), 20);
        assert_eq!(taken(&addresses(0, 0), "192.0.2.1"), 20);
    }

    #[test]
    fn requests_have_a_burst_of_four_seconds() {
        let addresses = addresses(0, 2);
        let address = "127.0.0.1".parse().unwrap();
        assert_eq!((0..20).filter(|_| addresses.request(address).is_ok()).count(), 8);
    }

    #[test]
    fn requests_are_counted_by_the_minute_and_memory_is_bounded() {
        let addresses = addresses(0, 0);
        let (home, away) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([192, 0, 2, 1]));
        let at = |second: u64| Nanos(second * 1_000_000_000);
        assert_eq!([0, 30, 59].map(|second| addresses.weigh(home, at(second))), [1, 2, 3]);
        assert_eq!(addresses.weigh(away, at(59)), 1);
        assert_eq!(addresses.weigh(home, at(60)), 1);
        for number in 0..50_000_u32 {
            addresses.weigh(IpAddr::from(number.to_be_bytes()), at(61));
        }
        assert!(addresses.weights.lock().unwrap().len() <= MANY);
    }
}
