//! The fuzzer: libFuzzer drives the check that `FUZZ_TARGET` names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static CHECK: OnceLock<fuzz::Check> = OnceLock::new();

fn chosen() -> fuzz::Check {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some(target) = fuzz::TARGETS.iter().find(|target| target.0 == name) else {
        let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.0).collect();
        eprintln!("FUZZ_TARGET='{name}' is no target; there are {}", names.join(", "));
        std::process::exit(2);
    };
    target.1
}

fuzz_target!(|data: &[u8]| CHECK.get_or_init(chosen)(data));
