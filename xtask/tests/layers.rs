//! The layers of the backend: ARCHITECTURE.md says which may import which, and the code must agree. No two
//! files of one of these crates import each other, however long the way round.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use asklet_xtask::root;
use syn::visit::{self, Visit};

/// The crates that have layers, with where their sources lie.
const CRATES: [(&str, &str); 4] = [
    ("asklet_shared", "shared/src"),
    ("asklet_protocol", "edge/protocol/src"),
    ("asklet_store", "edge/store/src"),
    ("asklet_edge", "edge/src"),
];

/// The other crates, whose files do not import each other either.
const OTHERS: [(&str, &str); 2] = [("asklet_widget", "widget/src"), ("asklet_xtask", "xtask/src")];

/// The line of ARCHITECTURE.md behind which the table of layers stands.
const TABLE: &str = "| layer | imports |";

/// A module by its path, from its crate on.
type Module = Vec<String>;

/// What each module imports.
#[derive(Default)]
struct Imports(BTreeMap<Module, BTreeSet<Module>>);

impl Imports {
    /// Reads what the sources of some modules import of each other.
    fn read(sources: &BTreeMap<Module, String>) -> Self {
        let mut imports = Self::default();
        for (module, source) in sources {
            let file = syn::parse_file(source).expect("Rust");
            let mut paths = Paths { module, found: Vec::new() };
            paths.visit_file(&file);
            let known = |path: &Module| {
                (1..=path.len())
                    .rev()
                    .map(|length| path[..length].to_vec())
                    .find(|it| sources.contains_key(it))
            };
            let imported = paths.found.iter().filter_map(known).filter(|other| other != module);
            imports.0.insert(module.clone(), imported.collect());
        }
        imports
    }

    /// Groups of modules that reach each other.
    fn cycles(&self) -> Vec<BTreeSet<Module>> {
        let reached: BTreeMap<_, _> = self.0.keys().map(|from| (from, self.reach(from))).collect();
        let mut cycles: Vec<BTreeSet<Module>> = Vec::new();
        for (from, to) in &reached {
            let group: BTreeSet<Module> =
                to.iter().filter(|other| reached[other].contains(*from)).cloned().collect();
            if !group.is_empty() && !cycles.contains(&group) {
                cycles.push(group);
            }
        }
        cycles
    }

    /// All modules that one imports, by way of others, too.
    fn reach(&self, from: &Module) -> BTreeSet<Module> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Module> = self.0[from].iter().collect();
        while let Some(module) = open.pop() {
            if reached.insert(module.clone()) {
                open.extend(&self.0[module]);
            }
        }
        reached
    }

    /// What is imported against the directions of a table.
    fn against(&self, table: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
        let mut wrong = Vec::new();
        for (module, imported) in &self.0 {
            let own = layer(module);
            let Some(allowed) = table.get(&own) else {
                wrong.push(format!("{own} is in no line of the table"));
                continue;
            };
            for other in imported {
                let of = layer(other);
                if of != own && !allowed.contains(&of) {
                    wrong.push(format!("{} imports {}", module.join("::"), other.join("::")));
                }
            }
        }
        wrong
    }
}

/// The layer of a module: its crate, or, in the Worker, its folder.
fn layer(module: &[String]) -> String {
    match module {
        [of, first, ..] if of == "asklet_edge" => format!("edge/src/{first}"),
        [of, ..] => {
            let (_, folder) = CRATES.iter().find(|(name, _)| name == of).expect("one of ours");
            (*folder).to_owned()
        }
        [] => String::new(),
    }
}

/// The paths of a file that lead to something of ours, but for those that only tests have.
struct Paths<'a> {
    module: &'a Module,
    found: Vec<Module>,
}

impl Paths<'_> {
    fn add(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let rest = |from: usize| path.iter().skip(from).cloned();
        let supers = path.iter().take_while(|step| *step == "super").count();
        let absolute: Module = match first.as_str() {
            "crate" => self.module.iter().take(1).cloned().chain(rest(1)).collect(),
            "self" => self.module.iter().cloned().chain(rest(1)).collect(),
            "super" => {
                let up = self.module.len().saturating_sub(supers);
                self.module.iter().take(up).cloned().chain(rest(supers)).collect()
            }
            first if CRATES.iter().any(|(name, _)| *name == first) => path.to_vec(),
            // A module below this one, or somebody else's crate.
            _ => self.module.iter().cloned().chain(rest(0)).collect(),
        };
        self.found.push(absolute);
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(renamed) => self.add(&with(&renamed.ident)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.add_tree(before, item));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        let is_test = |attribute: &syn::Attribute| {
            let is_cfg = attribute.path().is_ident("cfg");
            is_cfg && attribute.parse_args::<syn::Ident>().is_ok_and(|of| of == "test")
        };
        if !attributes.iter().any(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let steps: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        let is_ours = |first: &String| {
            matches!(first.as_str(), "crate" | "super" | "self")
                || CRATES.iter().any(|(name, _)| name == first)
        };
        if steps.len() > 1 && steps.first().is_some_and(is_ours) {
            self.add(&steps);
        }
        visit::visit_path(self, path);
    }
}

/// Adds the sources below a folder, but for those that only tests have.
fn add_sources(of: Module, folder: &Path, sources: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        if name == "tests" || name == "openapi" {
            continue;
        }
        let module = match name.as_str() {
            "mod" | "lib" => of.clone(),
            _ => [of.as_slice(), &[name]].concat(),
        };
        if path.is_dir() {
            add_sources(module, &path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.insert(module, fs::read_to_string(&path).expect("a source"));
        }
    }
}

/// The table of layers: of each, those that it may import.
fn read_table(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lines = text.lines().skip_while(|line| *line != TABLE).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(|name| name.trim_end_matches('/').to_owned())
            .collect()
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        (names(cells[1]).pop_first().expect("a layer"), names(cells[2]))
    })
    .collect()
}

fn sources(crates: &[(&str, &str)]) -> BTreeMap<Module, String> {
    let mut sources = BTreeMap::new();
    for (name, folder) in crates {
        add_sources(vec![(*name).to_owned()], &root().join(folder), &mut sources);
    }
    sources
}

#[test]
fn no_layer_imports_against_the_direction() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the text");
    let table = read_table(&text);
    assert!(table.len() > 8, "the table of layers was not found: {table:?}");
    let wrong = Imports::read(&sources(&CRATES)).against(&table);
    assert!(wrong.is_empty(), "against the table in ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other() {
    let cycles = Imports::read(&sources(&[&CRATES[..], &OTHERS].concat())).cycles();
    let shown: Vec<String> = cycles
        .iter()
        .map(|group| group.iter().map(|it| it.join("::")).collect::<Vec<_>>().join(", "))
        .collect();
    assert!(shown.is_empty(), "these files import each other:\n{}", shown.join("\n"));
}

#[test]
fn an_import_against_the_direction_and_a_cycle_are_found() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    let source = |path: &str, text: &str| (module(path), text.to_owned());
    let sources = BTreeMap::from([
        source("asklet_edge", "mod http; mod routes;"),
        source("asklet_edge::http", "pub mod answer;"),
        source("asklet_edge::http::answer", "use crate::routes::{page, site::{self, get}};"),
        source("asklet_edge::routes", ""),
        source("asklet_edge::routes::page", "#[cfg(test)] mod tests { use super::super::site; }"),
        source("asklet_edge::routes::site", "fn get() { super::page::show() }"),
    ]);
    let imports = Imports::read(&sources);
    assert!(imports.cycles().is_empty());
    let table = read_table(
        "text\n| layer | imports |\n|---|---|\n| `edge/src/http` | |\n| `edge/src/routes` | `edge/src/http` |\n\
         | `edge/src` | `edge/src/routes` |\n",
    );
    assert_eq!(
        imports.against(&table),
        [
            "asklet_edge::http::answer imports asklet_edge::routes::page",
            "asklet_edge::http::answer imports asklet_edge::routes::site",
        ]
    );
    let mut sources = sources;
    sources.insert(module("asklet_edge::routes::page"), "use crate::http::answer;".to_owned());
    let cycles = Imports::read(&sources).cycles();
    let group = ["http::answer", "routes::page", "routes::site"];
    let group = group.map(|name| module(&format!("asklet_edge::{name}")));
    assert_eq!(cycles, [BTreeSet::from(group)]);
}
