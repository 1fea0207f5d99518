//! `cargo xtask build`: everything that is deployed, in `dist/`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::artefacts::Manifest;
use crate::browser_files;
use crate::node::Node;
use crate::root;
use crate::runtime;
use crate::step::{Step, quiet};
use crate::toolchain::Toolchain;
use crate::tools;

/// What a build left.
pub struct Built {
    /// The files that pages download.
    pub manifest: Manifest,
    /// The compiler that made it, on which the sizes depend.
    pub compiler: String,
}

/// Builds what is stale and returns what it left.
pub fn build() -> Result<Built> {
    let toolchain = Toolchain::find()?;
    tools::node_modules()?;
    runtime::report()?;
    browser_files::widget(&toolchain)?;
    browser_files::assets()?;
    WORKER.build(&toolchain)?;
    Ok(Built { manifest: Manifest::read()?, compiler: toolchain.name() })
}

/// Refuses where [`build`] has not left everything that is served.
pub fn check_built() -> Result<()> {
    let check = || {
        Manifest::read()?;
        WORKER.check(root())?;
        runtime::workerd().map(drop)
    };
    check().context("there is nothing to serve: run `cargo xtask build` first")
}

/// Builds the Worker that panics where a test asks for it, beside what is deployed.
pub fn build_with_faults() -> Result<()> {
    FAULTS.build(&Toolchain::find()?)
}

/// A Worker that is built.
struct Worker {
    name: &'static str,
    /// Where worker-build leaves it, within `target/xtask`.
    made: &'static str,
    /// Features of the edge beyond what is deployed.
    features: &'static [&'static str],
    leaves: &'static [&'static str],
}

const WORKER: Worker = Worker {
    name: "worker",
    made: "worker",
    features: &[],
    leaves: &[
        "dist/workerd.capnp",
        "dist/worker/entry.js",
        "dist/worker/index.js",
        "dist/worker/index_bg.wasm",
    ],
};

const FAULTS: Worker = Worker {
    name: "worker with faults",
    made: "worker-with-faults",
    features: &["--features", "faults"],
    leaves: &[
        "target/xtask/faults/workerd.capnp",
        "target/xtask/faults/worker/entry.js",
        "target/xtask/faults/worker/index.js",
        "target/xtask/faults/worker/index_bg.wasm",
    ],
};

impl Worker {
    /// Refuses where a file that it leaves is missing.
    fn check(&self, root: &Path) -> Result<()> {
        match self.leaves.iter().find(|path| !root.join(path).exists()) {
            Some(missing) => bail!("{missing} is missing"),
            None => Ok(()),
        }
    }

    /// Builds it with worker-build, which makes the JavaScript around the module.
    fn build(&self, toolchain: &Toolchain) -> Result<()> {
        let step = Step {
            name: self.name,
            reads: &[
                "edge/src",
                "edge/Cargo.toml",
                "edge/entry.js",
                "edge/workerd.capnp",
                "shared",
                "widget/src/style.css",
                "Cargo.toml",
                "Cargo.lock",
                tools::BINDGEN_LOCK,
                "xtask/src/build.rs",
                "package-lock.json",
            ],
            depends_on: &[&toolchain.version],
            leaves: self.leaves,
        };
        step.run(|| {
            let worker_build = tools::worker_build()?;
            let made = root().join("target/xtask").join(self.made);
            let mut command = toolchain.command(worker_build);
            command
                .args(["--release", "--out-dir", &format!("../target/xtask/{}", self.made)])
                .args(self.features)
                .env("PATH", Node::find()?.before(toolchain.path())?)
                .env("CARGO_TARGET_DIR", root().join("target/edge"))
                // A stack says where, by the names of its functions; the standard library's
                // quickest sorts are not worth their kilobytes.
                .env("RUSTFLAGS", "-Zlocation-detail=none")
                .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size")
                // Without these it would download its own.
                .env("WASM_BINDGEN_BIN", tools::wasm_bindgen()?)
                .env("WASM_OPT_BIN", tools::node_file("binaryen/bin/wasm-opt"))
                .env("ESBUILD_BIN", tools::esbuild()?)
                .current_dir(root().join("edge"));
            quiet(&mut command)?;
            // Names of functions are a fifth of the module; the one with names stays where it was
            // made, to read a stack with.
            let stripped = made.join("stripped.wasm");
            let mut strip = tools::binaryen("wasm-opt")?;
            // Once more for size: names gone, more functions are alike.
            strip.args(["--strip-debug", "--strip-producers", "-Os"]);
            strip.arg(made.join("index_bg.wasm")).arg("-o").arg(&stripped);
            quiet(&mut strip)?;
            let edge = root().join("edge");
            let from = [
                edge.join("workerd.capnp"),
                edge.join("entry.js"),
                made.join("index.js"),
                stripped,
            ];
            for (from, to) in from.iter().zip(self.leaves) {
                let to = root().join(to);
                fs::create_dir_all(to.parent().unwrap_or(&to))
                    .and_then(|()| fs::copy(from, &to))
                    .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_worker_of_which_a_file_is_missing_is_not_served() {
        let folder = TempDir::new().unwrap();
        for path in WORKER.leaves {
            let missing = WORKER.check(folder.path()).unwrap_err();
            assert_eq!(missing.to_string(), format!("{path} is missing"));
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        WORKER.check(folder.path()).unwrap();
    }
}
