//! Holds the seeds, and with them what fuzzing once found, against the checks.

use std::{fs, path::Path};

#[test]
fn no_seed_breaks_what_must_hold() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, check) in fuzz::TARGETS {
        let mut files: Vec<_> = fs::read_dir(seeds.join(name))
            .unwrap_or_else(|error| panic!("{name} has no seeds: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no seeds");
        for file in files {
            eprintln!("{}", file.display());
            check(&fs::read(file).unwrap());
        }
    }
}
