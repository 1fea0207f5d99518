//! Makes the JavaScript for the two modules with wasm-bindgen.

use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

/// Writes the files for the page, `NAME.js` and `NAME_bg.wasm` in a folder; the loader passes the module to the
/// script.
pub fn for_page(module: &Path, folder: &Path, name: &str) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?;
    bindgen.omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    generate(&mut bindgen, module, folder, name)
}

/// Writes the same two files for the Worker, with a function that starts the module anew after a trap.
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
