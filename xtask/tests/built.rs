//! What was built is served where no compiler is. `cargo xtask test` builds before it comes here.

use std::io::{BufRead, BufReader, pipe};

use asklet_xtask::group::Group;
use tempfile::TempDir;

#[test]
fn what_was_built_is_served_where_there_is_no_compiler() {
    let own = TempDir::new().unwrap();
    let (output, writer) = pipe().unwrap();
    let mut command = Group::command(own.path(), "env");
    let path = format!("PATH={}", own.path().display());
    command.args(["-i", &path, env!("CARGO_BIN_EXE_asklet-xtask")]);
    command.args(["serve", "--built", "--port", "0", "--data"]).arg(own.path().join("data"));
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let _group = Group::spawn(command).unwrap();
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let told = lines.find(|line| !line.is_empty()).unwrap_or_default();
    assert!(told.starts_with("Asklet answers at http://localhost:"), "{told}");
}
