//! What was built is served where no compiler is, and from a folder that was moved since. `cargo xtask
//! test` builds before it comes here.

use std::fs;
use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::Command;

use asklet_xtask::group::Group;
use asklet_xtask::root;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Starts a program without a compiler and with no variable but these; gives the lines that it prints.
fn start(
    program: &Path,
    arguments: &[&str],
    variables: &[&str],
    own: &Path,
) -> (Group, impl Iterator<Item = String>) {
    let (output, writer) = pipe().unwrap();
    let mut command = Group::command(own, "env");
    command.arg("-i").arg(format!("PATH={}", own.display())).args(variables).arg(program);
    command.args(arguments).current_dir("/").stdout(writer.try_clone().unwrap()).stderr(writer);
    let group = Group::spawn(command).unwrap();
    (group, BufReader::new(output).lines().map_while(Result::ok))
}

/// Starts a program as above; gives the first line that it prints.
fn run(program: &Path, arguments: &[&str], variables: &[&str], own: &Path) -> (Group, String) {
    let (group, mut lines) = start(program, arguments, variables, own);
    (group, lines.find(|line| !line.is_empty()).unwrap_or_default())
}

/// Serves what was built, in the same surroundings.
fn served(program: &Path, variables: &[&str], own: &Path) -> (Group, String) {
    let data = own.join("data");
    let arguments = ["serve", "--built", "--port", "0", "--data", data.to_str().unwrap()];
    run(program, &arguments, variables, own)
}

/// Copies as `COPY` of a Dockerfile does: a file into a folder, and of a folder what it contains.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let from = if from.is_dir() { from.join(".") } else { from.to_owned() };
    // A copy of our own making could still be open when it is started, in a process forked meanwhile.
    let copied = Command::new("cp").arg("-R").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

/// Replaces a word of a command, which must have it.
fn replace<'a>(words: &mut [&'a str], word: &str, by: &'a str) {
    let found = words.iter_mut().find(|known| **known == word);
    *found.unwrap_or_else(|| panic!("the command has no {word}")) = by;
}

#[test]
fn what_was_built_is_served_where_there_is_no_compiler() {
    let own = TempDir::new().unwrap();
    let (_group, said) = served(Path::new(env!("CARGO_BIN_EXE_asklet-xtask")), &[], own.path());
    assert!(said.starts_with("Asklet answers at http://localhost:"), "{said}");
}

#[test]
fn each_request_has_a_line_in_the_log_if_that_is_wanted() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let arguments = ["serve", "--built", "--port", "0", "--data", data.to_str().unwrap()];
    let program = Path::new(env!("CARGO_BIN_EXE_asklet-xtask"));
    let (_group, mut lines) = start(program, &arguments, &["ASKLET_LOG=requests"], own.path());
    let mut line = |wanted: &str| lines.find(|line| line.contains(wanted)).unwrap();
    let said = line("Asklet answers at");
    let address = said.split([' ', ',']).find(|word| word.starts_with("http")).unwrap();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let nobody = "0".repeat(18);
    for (path, route, status, code) in [
        ("/healthz".to_owned(), "health", 200, None),
        ("/nowhere".to_owned(), "none", 404, Some("not_found")),
        (format!("/s/any-{nobody}/{nobody}"), "hostedPage", 404, Some("unknown_site")),
    ] {
        let answer = agent.get(format!("{address}{path}")).call().unwrap();
        let id = answer.headers()["asklet-request-id"].to_str().unwrap();
        let logged = line(id);
        let (_, json) = logged.split_once('{').unwrap();
        let logged: Value = serde_json::from_str(&format!("{{{json}")).unwrap();
        assert_eq!(answer.status(), status);
        let duration_ms = &logged["duration_ms"];
        let mut expected = json!({
            "level": "info", "request": id, "route": route, "status": status,
            "duration_ms": duration_ms,
        });
        if let Some(code) = code {
            expected["code"] = json!(code);
        }
        assert_eq!(logged, expected);
    }
}

#[test]
fn the_files_that_the_image_copies_are_all_that_its_command_needs() {
    let (own, image) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let text = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let (_, stage) = text.rsplit_once("\nFROM ").unwrap();
    let mut words: Vec<String> = Vec::new();
    for line in stage.lines() {
        match line.split_once(' ') {
            Some(("COPY", rest)) => {
                let copied = rest.strip_prefix("--from=build /opt/asklet/").unwrap();
                let (from, to) = copied.split_once(' ').unwrap();
                copy(&root().join(from), &image.path().join(to));
            }
            Some(("ENTRYPOINT" | "CMD", rest)) => {
                words.extend(serde_json::from_str::<Vec<String>>(rest).unwrap());
            }
            _ => {}
        }
    }
    let (program, arguments) = words.split_first().unwrap();
    let program = image.path().join(program.strip_prefix("/opt/asklet/").unwrap());
    // Tests listen on this machine alone, and on any free port.
    let data = own.path().join("data");
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    replace(&mut arguments, "0.0.0.0", "127.0.0.1");
    replace(&mut arguments, "/data/asklet", data.to_str().unwrap());
    arguments.extend(["--port", "0"]);
    let (_group, said) = run(&program, &arguments, &[], own.path());
    assert!(said.starts_with("Asklet answers at http://localhost:"), "{said}");
}

#[test]
fn the_command_of_the_service_serves_what_was_built() {
    let own = TempDir::new().unwrap();
    let text = fs::read_to_string(root().join("docs/asklet.service")).unwrap();
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let data = own.path().join("data");
    let mut words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words.remove(0), "/opt/asklet/target/debug/asklet-xtask");
    replace(&mut words, "8787", "0");
    replace(&mut words, "/var/lib/asklet", data.to_str().unwrap());
    let program = Path::new(env!("CARGO_BIN_EXE_asklet-xtask"));
    let (_group, said) = run(program, &words, &[], own.path());
    assert!(said.starts_with("Asklet answers at http://localhost:"), "{said}");
}

#[test]
fn systemd_reads_the_service() {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string(root().join("docs/asklet.service")).unwrap();
    let unit = folder.path().join("asklet.service");
    // What it runs must exist.
    let program = env!("CARGO_BIN_EXE_asklet-xtask");
    fs::write(&unit, text.replace("/opt/asklet/target/debug/asklet-xtask", program)).unwrap();
    match Command::new("systemd-analyze").arg("verify").arg(&unit).output() {
        Ok(output) => {
            // It reads the units of this machine too, and their faults are not ours.
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("asklet.service"), "{said}");
        }
        Err(error) => println!("not checked, because systemd-analyze cannot be run: {error}"),
    }
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
    copy(Path::new(env!("CARGO_BIN_EXE_asklet-xtask")), &moved.path().join("target/debug"));
    copy(&root().join("xtask/Cargo.toml"), &moved.path().join("xtask"));
    // It is known whose files it looks for by what is missing.
    let (_group, said) = served(&program, &[], own.path());
    assert!(said.contains("nothing to serve"), "{said}");
}
