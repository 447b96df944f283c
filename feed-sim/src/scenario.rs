//! What is simulated: symbols, rates, order flow, phases and faults, as a TOML file. Knows nothing of how it is carried out.

mod file;

use crate::SimError;
pub(crate) use file::{Even, Fault, FaultKind, MAX_RATE, Orders, Phase};
use std::path::Path;

/// What the simulated exchange does.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) symbols: u32,
    pub(crate) rate: Rate,
    pub(crate) flow: Flow,
    /// At least one.
    pub(crate) phases: Vec<Phase>,
    pub(crate) faults: Vec<Fault>,
}

/// How often something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// Events a second in all symbols together.
    PerSecond(u64),
    /// Events a minute for each symbol.
    PerSymbolMinute(u64),
}

/// Where events come from.
#[derive(Debug, Clone)]
pub(crate) enum Flow {
    Orders(Orders),
    Even(Even),
}

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../scenarios/", $name, ".toml")))),*]
    };
}

const BUILTIN: [(&str, &str); 10] =
    builtin!["market", "even", "burst4", "burst16", "burst64", "surge", "calm", "open", "crash", "quiet",];

impl Scenario {
    /// The name of a built-in scenario, or the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the built-in scenarios.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// A built-in scenario.
    ///
    /// # Errors
    /// [`SimError::UnknownScenario`] if there is none of that name.
    pub fn builtin(name: &str) -> Result<Scenario, SimError> {
        match BUILTIN.iter().find(|(known, _)| *known == name) {
            Some((name, text)) => file::parse(text, name),
            None => Err(SimError::UnknownScenario(name.to_owned())),
        }
    }

    /// Reads a scenario file's text.
    ///
    /// # Errors
    /// [`SimError::BadScenario`] says what is wrong with it, and in which line.
    pub fn from_toml(text: &str) -> Result<Scenario, SimError> {
        file::parse(text, "the scenario")
    }

    /// A built-in scenario by its name, any other by the path of its file.
    ///
    /// # Errors
    /// If there is no such scenario or file, or if the file is wrong.
    pub fn find(name_or_file: &str) -> Result<Scenario, SimError> {
        let path = Path::new(name_or_file);
        match Scenario::builtin(name_or_file) {
            Err(SimError::UnknownScenario(_)) if path.exists() => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| SimError::Unreadable { file: path.to_owned(), source })?;
                file::parse(&text, name_or_file)
            }
            found => found,
        }
    }

    /// Whether some of what happens is lost or sent twice on the way, so that the feed's numbering shows it.
    pub fn breaks_numbering(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.kind, FaultKind::Gap | FaultKind::Repeat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "symbols = 2\nrate = 100\n[even]\nlevels = 10\nburst = 1\n";

    fn complaint(text: &str) -> String {
        Scenario::from_toml(text).unwrap_err().to_string()
    }

    #[track_caller]
    fn check(text: &str, parts: &[&str]) {
        let complaint = complaint(text);
        for part in parts {
            assert!(complaint.contains(part), "no '{part}' in: {complaint}");
        }
    }

    #[test]
    fn every_builtin_scenario_can_be_read() {
        for name in Scenario::names() {
            let read = Scenario::builtin(name);
            assert!(read.is_ok(), "{name}: {}", read.unwrap_err());
        }
        assert_eq!(Scenario::names().next(), Some("market"));
    }

    #[test]
    fn a_wrong_file_is_explained_by_line() {
        assert!(Scenario::from_toml(PLAIN).is_ok());
        check(&format!("{PLAIN}spred = 1\n"), &["line 6", "unknown field `spred`", "`levels` or `burst`"]);
        check("symbols = 20001\n", &["line 1", "1 to 20000"]);
        check("symbols = 1\nrate = 0\n", &["line 2", "1 to 100000000"]);
        check("symbols = \"all\"\n", &["line 1", "invalid type"]);
        check(&format!("{PLAIN}[[fault]]\nkind = \"fire\"\n"), &["line 7", "`gap`", "`crossed`"]);
        check(&format!("{PLAIN}[[phase]]\nrate_percent = 50\n"), &["line 6", "missing field `seconds`"]);
    }

    #[test]
    fn what_does_not_fit_together_is_explained() {
        check("symbols = 1\nrate = 1\n", &["[orders]", "[even]"]);
        check("symbols = 1\n[even]\nlevels = 10\nburst = 1\n", &["rate", "rate_per_symbol_minute"]);
        check(&format!("{PLAIN}[[phase]]\nseconds = 1\nauction = true\n"), &["auction", "[orders]"]);
        let fault = |keys| format!("{PLAIN}[[fault]]\nevery_ms = 5\n{keys}\n");
        check(&fault("kind = \"stall\""), &["for_ms"]);
        check(&fault("kind = \"gap\"\nfor_ms = 3"), &["for_ms"]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let complaint = Scenario::find("no-such").unwrap_err().to_string();
        assert!(complaint.contains("market, even, burst4"), "{complaint}");
    }

    #[test]
    fn a_file_is_found_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.toml");
        std::fs::write(&path, PLAIN).unwrap();
        assert_eq!(Scenario::find(path.to_str().unwrap()).unwrap().symbols, 2);
    }
}
