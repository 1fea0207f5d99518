//! What was built is served where no compiler is, and from a folder that was moved since. `cargo xtask
//! test` builds before it comes here.

use std::fs;
use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::Command;

use asklet_xtask::group::Group;
use asklet_xtask::root;
use tempfile::TempDir;

/// Serves what was built, without a compiler and with no variable but these; gives the first line that
/// it says.
fn served(program: &Path, variables: &[&str], own: &Path) -> (Group, String) {
    let (output, writer) = pipe().unwrap();
    let mut command = Group::command(own, "env");
    command.arg("-i").arg(format!("PATH={}", own.display())).args(variables).arg(program);
    command.args(["serve", "--built", "--port", "0", "--data"]).arg(own.join("data"));
    command.current_dir("/").stdout(writer.try_clone().unwrap()).stderr(writer);
    let group = Group::spawn(command).unwrap();
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let said = lines.find(|line| !line.is_empty()).unwrap_or_default();
    (group, said)
}

#[test]
fn what_was_built_is_served_where_there_is_no_compiler() {
    let own = TempDir::new().unwrap();
    let (_group, said) = served(Path::new(env!("CARGO_BIN_EXE_asklet-xtask")), &[], own.path());
    assert!(said.starts_with("Asklet answers at http://localhost:"), "{said}");
}

#[test]
fn an_admin_token_that_can_be_guessed_is_refused_at_start() {
    for variable in ["ASKLET_ADMIN_TOKEN", "ASKLET_ADMIN_TOKEN_NEXT"] {
        let own = TempDir::new().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_asklet-xtask"));
        let (_group, said) = served(program, &[&format!("{variable}=abc")], own.path());
        assert!(said.starts_with(&format!("error: {variable} must have at least 32 ")), "{said}");
    }
}

#[test]
fn a_checkout_that_was_moved_serves_its_own_files() {
    let (own, moved) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let program = moved.path().join("target/debug/asklet-xtask");
    for folder in ["xtask", "target/debug"] {
        fs::create_dir_all(moved.path().join(folder)).unwrap();
    }
    // A copy of our own making could still be open when it is started, in a process forked meanwhile.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_asklet-xtask")).arg(&program).status();
    assert!(copied.unwrap().success());
    fs::copy(root().join("xtask/Cargo.toml"), moved.path().join("xtask/Cargo.toml")).unwrap();
    // It is known whose files it looks for by what is missing.
    let (_group, said) = served(&program, &[], own.path());
    assert!(said.contains("nothing to serve"), "{said}");
}
