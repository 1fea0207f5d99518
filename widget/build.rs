//! Tells the widget where its style sheet is: the source, or a smaller one that `cargo xtask` has made.

use std::env;

fn main() {
    let style = env::var("ASKLET_STYLE").unwrap_or_else(|_| "style.css".to_owned());
    println!("cargo::rerun-if-env-changed=ASKLET_STYLE");
    println!("cargo::rustc-env=ASKLET_STYLE={style}");
}
