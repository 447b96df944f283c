//! Looks for the highest rate at which everything is still delivered. What that means, and how it is measured, the caller
//! knows.

/// Neither lower nor higher rates are tried.
const LOWEST: u64 = 10;
const HIGHEST: u64 = 20_000_000;

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The rate that is tried first.
    pub begin: u64,
    /// By how much it goes up while all is delivered, or down while it is not.
    pub factor: f64,
    /// How often the distance between the highest good rate and the lowest bad one is halved.
    pub halvings: u32,
}

impl Search {
    /// Where nothing is known: doubling, then narrowing to a tenth.
    pub fn fresh(begin: u64) -> Search {
        Search { begin, factor: 2.0, halvings: 3 }
    }

    /// Where a rate was the highest before.
    pub fn near(known: u64) -> Search {
        Search { begin: known, factor: 1.12, halvings: 0 }
    }

    /// Tries rates; `measure` says what came of one, if all was delivered. Returns the highest good one; `None` if
    /// there is none.
    ///
    /// # Errors
    /// The first one of `measure`.
    pub fn run<T>(
        self,
        mut measure: impl FnMut(u64) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<Option<(u64, T)>> {
        let (mut good, mut bad) = (None, None);
        let mut rate = self.begin.clamp(LOWEST, HIGHEST);
        loop {
            let next = match measure(rate)? {
                Some(outcome) => {
                    good = Some((rate, outcome));
                    rate as f64 * self.factor
                }
                None => {
                    bad = Some(rate);
                    rate as f64 / self.factor
                }
            };
            if good.is_some() && bad.is_some() || !(LOWEST as f64..=HIGHEST as f64).contains(&next) {
                break;
            }
            rate = next.round() as u64;
        }
        for _ in 0..self.halvings {
            let (Some((from, _)), Some(to)) = (&good, bad) else { break };
            // Halfway as factors go.
            let rate = (*from as f64 * to as f64).sqrt().round() as u64;
            match measure(rate)? {
                Some(outcome) => good = Some((rate, outcome)),
                None => bad = Some(rate),
            }
        }
        Ok(good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(search: Search, peak: u64) -> (Option<u64>, usize) {
        let mut tried = 0;
        let found = search.run(|rate| {
            tried += 1;
            Ok((rate <= peak).then_some(()))
        });
        (found.unwrap().map(|(rate, ())| rate), tried)
    }

    #[test]
    fn the_peak_is_found_to_a_tenth_wherever_it_is() {
        for peak in [25, 137, 1_600, 1_601, 9_999, 4_000_000] {
            let (rate, tried) = found(Search::fresh(1_600), peak);
            let rate = rate.unwrap();
            assert!(rate <= peak && rate as f64 > 0.9 * peak as f64 - 2.0, "{rate} of {peak}");
            assert!(tried < 20, "{tried} for {peak}");
        }
    }

    #[test]
    fn a_known_peak_takes_two_tries() {
        assert_eq!(found(Search::near(1_000), 1_050), (Some(1_000), 2));
        assert_eq!(found(Search::near(1_000), 950), (Some(893), 2));
    }

    #[test]
    fn it_ends_where_nothing_or_everything_is_delivered() {
        assert_eq!(found(Search::fresh(1_600), 0).0, None);
        assert!(found(Search::fresh(1_600), u64::MAX).0.unwrap() > HIGHEST / 2);
    }

    #[test]
    fn what_cannot_be_measured_ends_it() {
        let failed = Search::fresh(1_600).run(|_| anyhow::Result::<Option<()>>::Err(anyhow::anyhow!("gone")));
        assert_eq!(failed.unwrap_err().to_string(), "gone");
    }
}
