//! The JavaScript around the two modules, as wasm-bindgen makes it.

use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

/// What the page takes, `NAME.js` and `NAME_bg.wasm` in a folder: the loader hands the module over.
pub fn for_page(module: &Path, folder: &Path, name: &str) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?;
    bindgen.omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    generate(&mut bindgen, module, folder, name)
}

/// What the Worker takes, the same two files, with a function that starts the module anew after a trap.
pub fn for_worker(module: &Path, folder: &Path, name: &str) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.module(true)?;
    bindgen.reset_state_function(true).force_enable_abort_handler(true);
    generate(&mut bindgen, module, folder, name)
}

fn generate(bindgen: &mut Bindgen, module: &Path, folder: &Path, name: &str) -> Result<()> {
    bindgen.input_path(module).out_name(name).typescript(false);
    let bound = bindgen.generate(folder);
    bound.with_context(|| format!("wasm-bindgen cannot take {}", module.display()))
}
