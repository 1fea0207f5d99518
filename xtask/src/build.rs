//! `cargo xtask build`: makes everything that is deployed, in `dist/`.

use std::fs;
use std::panic;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::artefacts::Manifest;
use crate::bindgen;
use crate::browser_files;
use crate::root;
use crate::runtime;
use crate::step::{Step, quiet, watched};
use crate::toolchain::{Library, Toolchain};
use crate::tools;

/// The module of the Worker with the names of its functions.
const NAMED: &str = "named.wasm";

/// The result of a build.
pub struct Built {
    /// The files that pages download.
    pub manifest: Manifest,
    /// The compiler that was used; sizes depend on it.
    pub compiler: String,
}

/// Builds what is stale and returns the result.
pub fn build() -> Result<Built> {
    if check_built().is_err() {
        println!(
            "a first build takes about five minutes: the compiler's parts and the tools of npm, the widget and \
             the Worker side by side, and the files that pages download; later ones take seconds"
        );
    }
    let toolchain = Toolchain::find()?;
    // Both are built in parallel, because the last part of each is a single compiler process that uses one
    // core.
    thread::scope(|scope| {
        let worker = scope.spawn(|| WORKER.build(&toolchain));
        // The Worker needs the tools of npm only once it is compiled.
        let files = tools::node_modules()
            .and_then(|()| runtime::report())
            .and_then(|()| browser_files::widget(&toolchain))
            .and_then(|()| browser_files::assets());
        let worker = worker.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked));
        files.and(worker)
    })?;
    Ok(Built { manifest: Manifest::read()?, compiler: toolchain.name() })
}

/// Fails unless [`build`] has left everything that is served.
pub fn check_built() -> Result<()> {
    let check = || {
        Manifest::read()?;
        WORKER.check(root())?;
        runtime::workerd().map(drop)
    };
    check().context("there is nothing to serve: run `cargo xtask build` first")
}

/// Builds the Worker that panics when a test requests it, beside the deployed one.
pub fn build_with_faults() -> Result<()> {
    FAULTS.build(&Toolchain::find()?)
}

/// A Worker to build.
struct Worker {
    name: &'static str,
    /// The folder in which it is made, within `target/xtask`.
    made: &'static str,
    /// Features of the edge that are not deployed.
    features: &'static [&'static str],
    leaves: &'static [&'static str],
}

const WORKER: Worker = Worker {
    name: "worker",
    made: "worker",
    features: &[],
    leaves: &["dist/workerd.capnp", "dist/worker/entry.js", "dist/worker/index_bg.wasm"],
};

const FAULTS: Worker = Worker {
    name: "worker with faults",
    made: "worker-with-faults",
    features: &["--features", "faults"],
    leaves: &[
        "target/xtask/faults/workerd.capnp",
        "target/xtask/faults/worker/entry.js",
        "target/xtask/faults/worker/index_bg.wasm",
    ],
};

impl Worker {
    /// Fails if a file of the result is missing.
    fn check(&self, root: &Path) -> Result<()> {
        match self.leaves.iter().find(|path| !root.join(path).exists()) {
            Some(missing) => bail!("{missing} is missing"),
            None => Ok(()),
        }
    }

    /// Builds the Worker: the module and the JavaScript around it, and minimises both.
    fn build(&self, toolchain: &Toolchain) -> Result<()> {
        let step = Step {
            name: self.name,
            reads: &[
                "edge/protocol",
                "edge/store",
                "edge/src",
                "edge/Cargo.toml",
                "edge/entry.js",
                "edge/workerd.capnp",
                "shared",
                "widget/src/style.css",
                "Cargo.toml",
                "Cargo.lock",
                "xtask/src/bindgen.rs",
                "xtask/src/build.rs",
                "package-lock.json",
            ],
            depends_on: &[&toolchain.version],
            leaves: self.leaves,
        };
        step.run(|| {
            self.compile(toolchain)?;
            tools::node_modules()?;
            let made = root().join("target/xtask").join(self.made);
            let module = root().join("target/edge/wasm32-unknown-unknown/release/asklet_edge.wasm");
            bindgen::for_worker(&module, &made, "index")?;
            let optimise = |passes: &[&str], from: &str, to: &str| {
                let mut optimise = tools::binaryen("wasm-opt")?;
                // wasm-bindgen distinguishes traps from exceptions of JavaScript by WebAssembly exceptions; the
                // module itself names the other features that it needs.
                optimise.arg("--enable-exception-handling").args(passes);
                quiet(optimise.arg(from).args(["-o", to]).current_dir(&made))
            };
            // Higher levels take four times as long. They make the module 5 % smaller, but its gzip 5 % larger,
            // and the gzip is what is uploaded and limited.
            optimise(&["-O1", "--debuginfo"], "index_bg.wasm", NAMED)?;
            // Names of functions are a fifth of the module. The module with names stays in this folder, to read
            // stacks with.
            optimise(&["--strip-debug", "--strip-producers"], NAMED, "small.wasm")?;
            self.bundle(&made)?;
            let from = [
                root().join("edge/workerd.capnp"),
                made.join("bundled.js"),
                made.join("small.wasm"),
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

    fn compile(&self, toolchain: &Toolchain) -> Result<()> {
        let mut cargo = toolchain.cargo("asklet-edge", Library::Precompiled);
        cargo
            .args(["--lib", "--release", "--target-dir", "target/edge"])
            .args(self.features)
            // A stack shows the place by the names of functions, so panics need no locations. The fastest sorts
            // of the standard library are not worth their kilobytes.
            .env("RUSTFLAGS", "-Zlocation-detail=none")
            // Uses the promises of `js-sys` itself, without a crate in between.
            .env("WASM_BINDGEN_USE_JS_SYS", "1")
            .current_dir(root());
        watched(&mut cargo, self.name)
    }

    /// Bundles `entry.js` and the JavaScript around the module into one file.
    fn bundle(&self, made: &Path) -> Result<()> {
        let read = |path: &Path| {
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let write = |path: &Path, text: &str| {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        // wasm-bindgen writes `import source`, which the platform does not know yet: the platform's plain
        // `import` of a .wasm file returns the compiled module as well.
        let glue = made.join("index.js");
        let source_import = "import source wasmModule from";
        let text = read(&glue)?;
        ensure!(text.contains(source_import), "wasm-bindgen imports the module in another way");
        write(&glue, &text.replace(source_import, "import wasmModule from"))?;
        write(&made.join("entry.js"), &read(&root().join("edge/entry.js"))?)?;
        let mut esbuild = Command::new(tools::esbuild()?);
        esbuild
            .args(["entry.js", "--bundle", "--format=esm", "--minify", "--log-level=warning"])
            .args(["--target=es2024", "--external:./index_bg.wasm", "--outfile=bundled.js"])
            .current_dir(made);
        quiet(&mut esbuild).map(drop)
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
