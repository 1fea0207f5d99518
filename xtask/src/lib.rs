//! `cargo xtask`: all tasks of this repository, with all their set-up.

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
pub mod packages;
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

/// Returns the folder of the repository: the one in which cargo runs us, or otherwise the one that contains the
/// program or the current folder. It is searched at run time, so that a checkout can be moved or copied once it
/// is built.
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

/// Returns the repository that contains a path.
fn repository_of(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file())
}
