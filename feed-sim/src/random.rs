//! Chance, the same on every machine and in every release: a generator with a published reference, and distributions in
//! integers alone. (The distributions of `rand` may change their values between releases, and floats between machines.)

use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

/// One stream of chance.
#[derive(Debug, Clone)]
pub(crate) struct Random(Xoshiro256PlusPlus);

/// 1 in the fixed-point numbers that [`Random::exponential`] draws.
pub(crate) const ONE: u64 = 1 << 32;

impl Random {
    /// The stream `stream` of `seed`; streams of one seed do not overlap.
    pub fn new(seed: u64, stream: u32) -> Random {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
        for _ in 0..stream {
            generator.jump();
        }
        Random(generator)
    }

    /// A number below `bound`, each as likely as the others but for one part in 2^64 / `bound`.
    ///
    /// # Panics
    /// If `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero");
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `share` of a hundred draws.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// A symmetric number from -`reach` to `reach`, near zero more often than far away.
    pub fn around_zero(&mut self, reach: u64) -> i64 {
        let bound = reach + 1;
        self.below(bound) as i64 - self.below(bound) as i64
    }

    /// A waiting time of mean [`ONE`]: each further step half as likely as the one before, even within a step. It stands
    /// for the exponential distribution, which takes a logarithm.
    pub fn exponential(&mut self) -> u64 {
        let word = self.0.next_u64();
        let steps = u64::from(word.leading_zeros()) << 32;
        let within = word & (ONE - 1);
        (steps + within) * 2 / 3
    }

    /// A size of the order of `typical`, at least 1: mostly small, twice as large half as often, up to 24 times.
    pub fn size(&mut self, typical: u64) -> u64 {
        let word = self.0.next_u64();
        let doublings = word.leading_zeros().min(4);
        let within = ONE / 2 + (word & (ONE - 1));
        let size = ((u128::from(typical) << doublings) * u128::from(within)) >> 32;
        (size as u64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_the_numbers_of_the_published_generator() {
        // https://prng.di.unimi.it: xoshiro256plusplus.c after seeding with splitmix64.c from 0.
        let mut random = Random::new(0, 0);
        let drawn: Vec<u64> = (0..3).map(|_| random.0.next_u64()).collect();
        assert_eq!(drawn, [0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc]);
    }

    #[test]
    fn waiting_times_have_the_mean_that_rates_rely_on() {
        let mut random = Random::new(1, 0);
        let draws = 200_000;
        let sum: u128 = (0..draws).map(|_| u128::from(random.exponential())).sum();
        let mean = (sum / draws) as u64;
        assert!(mean.abs_diff(ONE) < ONE / 100, "{mean} is not within 1 % of {ONE}");
    }

    #[test]
    fn streams_and_seeds_differ() {
        let first = |seed, stream| Random::new(seed, stream).below(u64::MAX);
        assert_eq!(first(1, 0), first(1, 0));
        assert_ne!(first(1, 0), first(2, 0));
        assert_ne!(first(1, 0), first(1, 1));
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_ends() {
        let mut random = Random::new(3, 0);
        let drawn: Vec<i64> = (0..10_000).map(|_| random.around_zero(4)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-4), Some(&4)));
        assert!((0..10_000).all(|_| (5..=240).contains(&random.size(10))));
    }
}
