//! Makes the widget's two files smaller together than either could be made alone.
//!
//! wasm-bindgen exports and imports more than the page uses, under long names that end in hashes, which no
//! compression shortens. First this code removes from the module what the JavaScript does not call. Then it
//! removes from the JavaScript what the module no longer calls. Finally the remaining names become short. That
//! saves about a tenth of the whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::root;
use crate::step::quiet;
use crate::tools;

/// The WebAssembly features that wasm-opt may use: those of browsers with `popover`. Never use
/// `--all-features`, because browsers refuse its newest encodings.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// These passes in this order make the module about 2 % smaller than `-Oz` alone.
const PASSES: [&str; 6] =
    ["--flatten", "--rereloop", "-Oz", "-Oz", "--merge-similar-functions", "-Oz"];

/// The short names that binaryen chose.
#[derive(Deserialize)]
struct ShortNames {
    /// Module, name and short name. All modules become `a`.
    imports: Vec<(String, String, String)>,
    /// Name and short name.
    exports: Vec<(String, String)>,
}

/// Reads `bound.js` and `bound_bg.wasm`, which wasm-bindgen left in a folder, and writes `widget.js` and
/// `widget.wasm` there.
pub fn shrink(folder: &Path) -> Result<()> {
    bundle(folder, "shaken.js", &[])?;
    let shaken = read(&folder.join("shaken.js"))?;
    let called = words_after(&shaken, "wasm.");
    fs::write(folder.join("graph.json"), reachable_from(&called))?;
    binaryen(
        folder,
        "wasm-metadce",
        &["bound_bg.wasm", "--graph-file", "graph.json", "-o", "reached.wasm"],
    )?;
    let optimise = [&PASSES[..], &["reached.wasm", "-o", "optimised.wasm"]].concat();
    binaryen(folder, "wasm-opt", &optimise)?;
    let rename =
        ["--minify-imports-and-exports-and-modules", "optimised.wasm", "-o", "widget.wasm"];
    let names: ShortNames = serde_json::from_str(&binaryen(folder, "wasm-opt", &rename)?)
        .context("wasm-opt did not say which names it gave")?;
    let glue = inherited(&read(&folder.join("bound.js"))?);
    fs::write(folder.join("bound.js"), shorten(&without_unused(&glue, &names), &names)?)?;
    bundle(folder, "widget.js", &["--minify"])
}

fn binaryen(folder: &Path, tool: &str, arguments: &[&str]) -> Result<String> {
    quiet(tools::binaryen(tool)?.args(FEATURES).args(arguments).current_dir(folder))
}

/// Bundles the page's side of the module with the parts of the glue that it uses. Unused classes of the glue
/// remain only because of a registration, so esbuild drops them once it knows that the registration has no side
/// effect.
fn bundle(folder: &Path, to: &str, options: &[&str]) -> Result<()> {
    let mut esbuild = Command::new(tools::esbuild()?);
    esbuild
        .arg(root().join("widget/loader/widget.js"))
        .args(["--alias:bound=./bound.js"])
        .args(["--bundle", "--format=esm", "--target=es2022", "--log-level=warning"])
        .args(["--define:Symbol.dispose=undefined", "--pure:FinalizationRegistry"])
        .arg(format!("--outfile={to}"))
        .args(options)
        .current_dir(folder);
    quiet(&mut esbuild).map(drop)
}

/// Returns the graph that keeps these exports of a module and everything that they reach.
fn reachable_from(exports: &BTreeSet<&str>) -> String {
    let mut graph = vec![serde_json::json!({ "name": "page", "root": true, "reaches": exports })];
    graph.extend(
        exports.iter().map(|export| serde_json::json!({ "name": export, "export": export })),
    );
    serde_json::Value::from(graph).to_string()
}

/// Removes the imports that the module no longer has from the glue, where each is a function in an object
/// literal, indented by eight spaces.
fn without_unused(glue: &str, names: &ShortNames) -> String {
    let used: BTreeSet<&str> = names.imports.iter().map(|(_, name, _)| name.as_str()).collect();
    let mut kept = String::with_capacity(glue.len());
    let mut dropping = false;
    for line in glue.split_inclusive('\n') {
        let entry = line.strip_prefix("        ").and_then(|rest| rest.split_once(": function("));
        if entry.is_some_and(|(name, _)| is_word(name) && !used.contains(name)) {
            dropping = true;
        }
        if !dropping {
            kept.push_str(line);
        }
        if line.trim_end() == "        }," {
            dropping = false;
        }
    }
    kept
}

/// Makes the glue call what documents inherit instead of a property of `document` itself, which can be an
/// element of the page with the same name.
fn inherited(glue: &str) -> String {
    let mut parts = glue.split("document.");
    let mut safe = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !is_word_char(c)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let is_global = !safe.ends_with(|c: char| is_word_char(c) || c == '.');
        match rest.strip_prefix('(') {
            Some(arguments) if is_global => {
                safe += &format!("Document.prototype.{name}.call(document, {arguments}");
            }
            _ => safe += &format!("document.{part}"),
        }
    }
    safe
}

/// Replaces the names in the glue by the short ones.
fn shorten(glue: &str, names: &ShortNames) -> Result<String> {
    let mut glue = glue.to_owned();
    for (module, name, short) in &names.imports {
        glue = glue.replace(&format!("{module:?}: "), "\"a\": ");
        let shorter = glue.replace(&format!(" {name}: "), &format!(" {short}: "));
        ensure!(shorter != glue, "the glue does not give the module its import {name}");
        glue = shorter;
    }
    // Longest first, so that no name is mistaken for the beginning of another.
    let mut exports: Vec<_> = names.exports.iter().collect();
    exports.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, short) in exports {
        glue = glue.replace(&format!("wasm.{name}"), &format!("wasm.{short}"));
    }
    Ok(glue)
}

/// Returns each identifier that follows a prefix somewhere in a text.
fn words_after<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let words = text.split(prefix).skip(1).map(|rest| {
        let end = rest.find(|c: char| !is_word_char(c)).unwrap_or(rest.len());
        rest.split_at(end).0
    });
    words.filter(|word| !word.is_empty()).collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word_char)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> ShortNames {
        let import =
            |name: &str, short: &str| ("./b.js".to_owned(), name.to_owned(), short.to_owned());
        ShortNames {
            imports: vec![import("__wbg_body_1", "a"), import("__wbg_now_2", "b")],
            exports: vec![
                ("free".to_owned(), "c".to_owned()),
                ("free_all".to_owned(), "d".to_owned()),
            ],
        }
    }

    const GLUE: &str = r#"
        __wbg_body_1: function() {
            wasm.free_all(wasm.free);
        },
        __wbg_gone_3: function() {
            wasm.gone();
        },
        __wbg_now_2: function() {
        },
    return { "./b.js": import0 };
"#;

    const SHORTENED: &str = r#"
        a: function() {
            wasm.d(wasm.c);
        },
        b: function() {
        },
    return { "a": import0 };
"#;

    #[test]
    fn imports_that_the_module_lacks_leave_the_glue_and_the_others_get_short_names() {
        assert_eq!(shorten(&without_unused(GLUE, &names()), &names()).unwrap(), SHORTENED);
    }

    #[test]
    fn methods_of_the_document_are_those_that_it_inherits() {
        let glue =
            "document.createElement(name); arg0.document.x(); my_document.y(); document.body;";
        let safe = "Document.prototype.createElement.call(document, name); arg0.document.x(); \
                    my_document.y(); document.body;";
        assert_eq!(inherited(glue), safe);
    }

    #[test]
    fn an_import_that_the_glue_does_not_give_is_told() {
        assert!(shorten("return {}", &names()).is_err());
    }

    #[test]
    fn the_exports_that_a_script_calls_are_found() {
        let called = words_after("wasm.memory.buffer; wasm.__wbindgen_malloc(1); wasm;", "wasm.");
        assert_eq!(called.into_iter().collect::<Vec<_>>(), ["__wbindgen_malloc", "memory"]);
    }
}
