//! Three sources, one result: the command line wins over the environment, that over the file, that over the defaults.

use super::Config;
use clap::{ArgMatches, parser::ValueSource};
use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};

/// Puts the file that `parsed` names, if it names one, under what the command line and the environment said. `matches` are
/// those that `parsed` was read from: they know which values were given, and which are defaults.
///
/// Other variables that begin with `DEPTHCAST_` are left alone: an orchestrator makes such names from that of a service.
///
/// # Errors
/// If the file cannot be read, or holds a key that does not exist or a value of the wrong kind. The text names it.
pub fn layered(parsed: Config, matches: &ArgMatches) -> Result<Config, Box<figment::Error>> {
    let Some(path) = &parsed.config else { return Ok(parsed) };
    let file = path.clone();
    let given = Serialized::defaults(&parsed);
    let mut figment = Figment::from(given).merge(Toml::file_exact(path));
    let all = Figment::from(Serialized::defaults(&parsed)).extract::<figment::value::Dict>()?;
    for (key, value) in all {
        let source = matches.try_get_raw(&key).ok().and_then(|_| matches.value_source(&key));
        if matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            figment = figment.merge(Serialized::default(&key, value));
        }
    }
    let config: Config = figment.extract().map_err(Box::new)?;
    Ok(Config { config: Some(file), ..config })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};
    use std::io::Write;

    fn read(file: &str, arguments: &[&str]) -> Result<Config, String> {
        let mut toml = tempfile::NamedTempFile::new().unwrap();
        toml.write_all(file.as_bytes()).unwrap();
        let path = toml.path().to_str().unwrap();
        let command = Config::augment_args(clap::Command::new("depthcast"));
        let matches = command.get_matches_from([&["depthcast", "--config", path], arguments].concat());
        let parsed = Config::from_arg_matches(&matches).unwrap();
        layered(parsed, &matches).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_the_file_over_the_defaults() {
        let config =
            read("seed = 7\nrate = 5000\nspeed = 10\nfeed = \"sim:calm\"", &["--seed", "9"]).unwrap();
        assert_eq!(config.seed, 9);
        assert_eq!(config.rate, Some(5000));
        assert_eq!(config.speed.to_string(), "10");
        assert_eq!(config.feed.to_string(), "sim:calm");
        assert_eq!(config.ring_slots, Config::default().ring_slots);
    }

    #[test]
    fn a_value_given_as_the_default_still_wins_over_the_file() {
        assert_eq!(read("seed = 7", &["--seed", "1"]).unwrap().seed, 1);
    }

    #[test]
    fn a_key_that_does_not_exist_is_named_with_those_that_do() {
        let error = read("sede = 7", &[]).unwrap_err();
        assert!(error.contains("sede") && error.contains("`seed`"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_key_and_file() {
        let error = read("feed = \"fax\"", &[]).unwrap_err();
        assert!(error.contains("there is no feed 'fax'") && error.contains("feed"), "{error}");
        let error = read("seed = \"x\"", &[]).unwrap_err();
        assert!(error.contains("seed") && error.contains("TOML file"), "{error}");
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let command = Config::augment_args(clap::Command::new("depthcast"));
        let matches = command.get_matches_from(["depthcast", "--config", "/nowhere/x.toml"]);
        let parsed = Config::from_arg_matches(&matches).unwrap();
        let error = layered(parsed, &matches).unwrap_err().to_string();
        assert!(error.contains("/nowhere/x.toml"), "{error}");
    }
}
