//! `cargo xtask`: everything that one does with this repository, with all its set-up.

pub mod artefacts;
pub mod backup;
mod browser_files;
pub mod build;
pub mod data;
pub mod demo;
pub mod fuzz;
mod glue;
pub mod group;
pub mod node;
pub mod runtime;
pub mod serve;
pub mod server;
pub mod size;
mod step;
pub mod test;
mod toolchain;
pub mod tools;
pub mod wrangler;

use std::path::Path;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}
