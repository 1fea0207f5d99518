//! `cargo xtask build`: everything that is deployed, in `dist/`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::artefacts::{self, Manifest};
use crate::browser_files;
use crate::root;
use crate::step::{Step, quiet};
use crate::toolchain::Toolchain;
use crate::tools;

/// Builds what is stale and returns what it left.
pub fn build() -> Result<Manifest> {
    let toolchain = Toolchain::find()?;
    tools::node_modules()?;
    browser_files::widget(&toolchain)?;
    browser_files::assets()?;
    worker(&toolchain)?;
    for (file, to) in [("workerd.capnp", "workerd.capnp"), ("entry.js", "worker/entry.js")] {
        fs::copy(root().join("edge").join(file), artefacts::dist().join(to))
            .with_context(|| format!("cannot write dist/{to}"))?;
    }
    Manifest::read()
}

/// Builds the Worker with worker-build, which makes the JavaScript around the module.
fn worker(toolchain: &Toolchain) -> Result<()> {
    let build_version = tools::locked_version("worker")?;
    let bindgen_version = tools::locked_version("wasm-bindgen")?;
    Step {
        name: "worker",
        reads: &[
            "edge/src",
            "edge/Cargo.toml",
            "shared",
            "Cargo.toml",
            "Cargo.lock",
            "xtask/src/build.rs",
            "package-lock.json",
        ],
        depends_on: &[&toolchain.version],
        leaves: &["dist/worker/index.js", "dist/worker/index_bg.wasm"],
    }
    .run(|| {
        let worker_build = tools::cargo_tool("worker-build", "worker-build", &build_version)?;
        let mut command = toolchain.command(worker_build);
        command
            .args(["--release", "--out-dir", "../target/xtask/worker"])
            .env("CARGO_TARGET_DIR", root().join("target/edge"))
            // Without these it would download its own.
            .env(
                "WASM_BINDGEN_BIN",
                tools::cargo_tool("wasm-bindgen-cli", "wasm-bindgen", &bindgen_version)?,
            )
            .env("WASM_OPT_BIN", tools::node_file("binaryen/bin/wasm-opt"))
            .env("ESBUILD_BIN", tools::esbuild()?)
            .current_dir(root().join("edge"));
        quiet(&mut command)?;
        let worker = artefacts::dist().join("worker");
        fs::create_dir_all(&worker).context("cannot make dist/worker")?;
        let made = root().join("target/xtask/worker");
        let glue = made.join("index.js");
        fs::copy(&glue, worker.join("index.js"))
            .with_context(|| format!("no {}", glue.display()))?;
        // Names of functions are a fifth of the module; the one with names stays where it was made,
        // to read a stack with.
        let mut strip = Command::new(tools::node_file("binaryen/bin/wasm-opt"));
        strip.arg("--strip-debug").arg(made.join("index_bg.wasm"));
        quiet(strip.arg("-o").arg(worker.join("index_bg.wasm")))?;
        Ok(())
    })
}
