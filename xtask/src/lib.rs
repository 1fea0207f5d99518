//! `cargo xtask`: everything that one does with this repository, with all its set-up.

pub mod artefacts;
pub mod backup;
mod bindgen;
mod browser_files;
mod browser_tests;
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

use std::env;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::LazyLock;

/// The repository: the one that cargo runs us in, or else the one that the program or the current folder
/// lies in. It is looked for when we run, so that a checkout can be moved or copied once it is built.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let program = env::current_exe().ok();
        let starts = [manifest, program, env::current_dir().ok()];
        let found = starts.iter().flatten().find_map(|start| repository_of(start));
        found.map(Path::to_owned).unwrap_or_else(|| {
            eprintln!(
                "error: neither the program nor the current folder lies in a checkout of Asklet"
            );
            process::exit(1)
        })
    });
    &ROOT
}

/// The repository that a path lies in.
fn repository_of(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file())
}
