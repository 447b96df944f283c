//! Makes the writers of binary messages from the schemas in `docs/protocol`, so that a field stands where the schema says, or the
//! build fails.

mod rust;
mod schema;

use schema::Schema;
use std::{env, error::Error, fs, path::Path};

/// The schemas, by the names of the files that are made of them.
const SCHEMAS: [(&str, &str); 2] = [("depthcast", "depthcast.rs"), ("binance-stream", "binance_stream.rs")];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../docs/protocol");
    let out = env::var("OUT_DIR")?;
    println!("cargo::rerun-if-changed=build");
    for (name, made) in SCHEMAS {
        let path = folder.join(name).with_extension("xml");
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let schema = Schema::read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        fs::write(Path::new(&out).join(made), rust::writers(&schema))?;
    }
    Ok(())
}
