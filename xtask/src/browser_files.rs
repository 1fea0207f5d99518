//! Makes the files that pages download: the scripts of `widget/loader/` and the widget.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use asklet_shared::body::words::Words;

use crate::artefacts::{self, Files, Manifest};
use crate::bindgen;
use crate::glue;
use crate::root;
use crate::step::{Step, quiet, watched};
use crate::toolchain::{Library, Toolchain};
use crate::tools;

/// The folder in which the steps leave files for the next step.
const STAGE: &str = "target/xtask/widget";

/// Builds the widget's two files from Rust.
pub fn widget(toolchain: &Toolchain) -> Result<()> {
    Step {
        name: "widget",
        reads: &[
            "widget/src",
            "widget/build.rs",
            "widget/Cargo.toml",
            "widget/loader/widget.js",
            "widget/loader/widget",
            "widget/loader/when/document.js",
            "shared",
            "Cargo.toml",
            "Cargo.lock",
            "xtask/src/bindgen.rs",
            "xtask/src/browser_files.rs",
            "xtask/src/glue.rs",
        ],
        depends_on: &[&toolchain.version],
        leaves: &["target/xtask/widget/widget.js", "target/xtask/widget/widget.wasm"],
    }
    .run(|| {
        let stage = root().join(STAGE);
        fs::create_dir_all(&stage).context("cannot make the stage")?;
        let style = stage.join("style.css");
        minify(&root().join("widget/src/style.css"), &style, &[])?;
        compile(toolchain, &style)?;
        let module = "target/widget/wasm32-unknown-unknown/widget/asklet_widget.wasm";
        bindgen::for_page(&root().join(module), &stage, "bound")?;
        glue::shrink(&stage)
    })
}

fn compile(toolchain: &Toolchain, style: &Path) -> Result<()> {
    watched(
        toolchain
            .cargo("asklet-widget", Library::Rebuilt)
            .args(["--profile", "widget", "--target-dir", "target/widget"])
            .env("ASKLET_STYLE", style)
            // A panic becomes a trap, and no panic message is left in the module.
            .env("CARGO_UNSTABLE_PANIC_IMMEDIATE_ABORT", "true")
            .env("CARGO_PROFILE_WIDGET_PANIC", "immediate-abort")
            .env("RUSTFLAGS", "-Zlocation-detail=none -Zfmt-debug=none -Zunstable-options")
            .current_dir(root()),
        "widget",
    )
}

/// Minifies the scripts, gives hashed names, compresses everything and writes the manifest.
pub fn assets() -> Result<()> {
    Step {
        name: "assets",
        reads: &[
            "widget/loader",
            "shared/src/body/languages.rs",
            "docs/openapi.json",
            "xtask/src/browser_files.rs",
            "target/xtask/widget/widget.js",
            "target/xtask/widget/widget.wasm",
            "package-lock.json",
        ],
        depends_on: &[],
        leaves: &[
            "dist/assets/asklet.js",
            "dist/assets/debug.js",
            "dist/assets/integrity.json",
            "dist/assets/manifest.json",
            "dist/assets/openapi.json",
        ],
    }
    .run(|| {
        let stage = root().join(STAGE);
        let (glue, wasm) = (read(&stage.join("widget.js"))?, read(&stage.join("widget.wasm"))?);
        let scripts = Scripts::minify(&stage)?;
        let widget = artefacts::digest(&[&glue, &wasm]);
        let manifest = Manifest {
            entry: artefacts::digest(&[&scripts.entry]),
            files: Files {
                when: format!("when-{}.js", artefacts::digest(&[&scripts.when])),
                widget: format!("widget-{widget}"),
                frame: scripts.frame_name.clone(),
            },
        };
        let [entry_name, when_name, glue_name, wasm_name, frame_name] = &manifest.hashed();
        let scripts = [
            ("asklet.js", &scripts.entry),
            (entry_name, &scripts.entry),
            (when_name, &scripts.when),
            (glue_name, &glue),
            (frame_name, &scripts.frame),
            ("debug.js", &scripts.debug),
        ];
        for (name, content) in scripts {
            artefacts::put(name, content)?;
        }
        artefacts::put(wasm_name, &wasm)?;
        artefacts::put("integrity.json", &artefacts::integrity(&scripts)?)?;
        let document: serde_json::Value =
            serde_json::from_slice(&read(&root().join("docs/openapi.json"))?)?;
        artefacts::put("openapi.json", &serde_json::to_vec(&document)?)?;
        manifest.write()?;
        artefacts::remove_outdated(&manifest)
    })
}

/// The scripts of `widget/loader/`, minified.
struct Scripts {
    entry: Vec<u8>,
    when: Vec<u8>,
    frame: Vec<u8>,
    /// The hashed name of `frame`, which is in `when`.
    frame_name: String,
    debug: Vec<u8>,
}

impl Scripts {
    fn minify(stage: &Path) -> Result<Self> {
        let script = |name: &str, options: &[&str]| {
            let minified = stage.join("min").join(name);
            minify(&root().join("widget/loader").join(name), &minified, options)?;
            read(&minified)
        };
        let close: BTreeMap<_, _> =
            Words::all().iter().map(|words| (words.language, words.close)).collect();
        let close = format!("--define:CLOSE={}", serde_json::to_string(&close)?);
        let frame = script("when/frame.js", &["--format=esm", &close])?;
        let frame_name = format!("frame-{}.js", artefacts::digest(&[&frame]));
        let named = format!("--define:FRAME=\"{frame_name}\"");
        Ok(Self {
            entry: script("asklet.js", &["--format=iife"])?,
            when: script("when.js", &["--format=esm", &named])?,
            frame,
            frame_name,
            debug: script("debug.js", &["--format=esm"])?,
        })
    }
}

fn minify(from: &Path, to: &Path, options: &[&str]) -> Result<()> {
    let mut esbuild = Command::new(tools::esbuild()?);
    // The features of browsers that have `popover`.
    esbuild.arg(from).args(["--bundle", "--minify"]);
    esbuild.args(["--target=es2022,chrome114,firefox125,safari17", "--log-level=warning"]);
    esbuild.args(options).arg(format!("--outfile={}", to.display()));
    quiet(&mut esbuild).map(drop)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
