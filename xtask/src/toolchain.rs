//! The Rust toolchain that builds for the browser and for the Worker. The widget's standard library is always
//! rebuilt, because most of its bytes come from there. So any compiler with the library's source will do: rustup's
//! with `rust-src`, or Debian's. The Worker takes rustup's precompiled library, if rustup can fetch it, since
//! rebuilding takes a minute of a first run. Sizes depend on the compiler, so a build prints its name.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step::quiet;
use crate::tools::{Apt, find_on};

/// The target of both modules.
const TARGET: &str = "wasm32-unknown-unknown";

/// The folder of programs from Debian's packages.
const DEBIAN_PROGRAMS: &str = "/usr/bin";

/// A compiler with the source of its library.
#[derive(Debug)]
pub struct Toolchain {
    /// The PATH on which `cargo` and `rustc` are those of that compiler.
    path: OsString,
    /// The linker, if the compiler brings none.
    linker: Option<String>,
    /// The output of `rustc -vV`, on which the result of a build depends.
    pub version: String,
    /// The path of its sysroot.
    sysroot: PathBuf,
    /// Whether it has the library precompiled.
    has_precompiled: bool,
}

/// The standard library of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// Rebuilt with the module's own settings.
    Rebuilt,
    /// As rustup ships it, or rebuilt if there is none.
    Precompiled,
}

impl Toolchain {
    /// Finds a toolchain, or installs one. In this order it tries the one on the PATH, Debian's, the one on the
    /// PATH with the source that rustup adds, and Debian's as apt-get installs it.
    pub fn find() -> Result<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut toolchain = Self::find_on(&path, Path::new(DEBIAN_PROGRAMS))?;
        toolchain.add_precompiled();
        println!("{:<24} {}", "compiler", toolchain.name());
        Ok(toolchain)
    }

    fn find_on(own_path: &OsStr, debian: &Path) -> Result<Self> {
        let debian_path = prefixed(debian, own_path)?;
        for path in [own_path, &debian_path] {
            if has_source(path) {
                return Self::on(path, debian);
            }
        }
        if find_on(own_path, "rustup").is_some() {
            println!("adding the source of the standard library: rustup component add rust-src");
            let mut rustup = Command::new("rustup");
            match quiet(rustup.args(["component", "add", "rust-src"]).env("PATH", own_path)) {
                // The rustc on the PATH may not be rustup's.
                Ok(_) if has_source(own_path) => return Self::on(own_path, debian),
                Ok(_) => println!("  rustup added it, but not to the rustc on the PATH"),
                Err(error) => println!("  rustup could not: {error:#}"),
            }
        }
        let apt = Apt::on(own_path);
        apt.install(
            &["rustc-web", "cargo-web", "rust-web-src"],
            "no Rust here has the source of its standard library, which the build compiles",
        )
        .context(
            "no Rust with the source of its standard library: run `rustup component add \
             rust-src`, or install Debian's packages rustc-web, cargo-web and rust-web-src",
        )?;
        if !has_source(&debian_path) {
            bail!("Debian's Rust came without the source of its standard library");
        }
        Self::on(&debian_path, debian)
    }

    fn on(path: &OsStr, debian: &Path) -> Result<Self> {
        let version = quiet(rustc(path).arg("-vV"))?;
        let sysroot = sysroot(path)?;
        let linker = if brings_linker(&sysroot)? {
            None
        } else {
            Some(debian_linker(&version, &Apt::on(path), debian)?)
        };
        let has_precompiled = has_precompiled(&sysroot);
        Ok(Self { path: path.to_owned(), linker, version, sysroot, has_precompiled })
    }

    /// Has rustup fetch the precompiled library, if it is not there yet. It takes seconds, and the build works
    /// without it.
    fn add_precompiled(&mut self) {
        if self.has_precompiled || find_on(&self.path, "rustup").is_none() {
            return;
        }
        println!("adding the precompiled standard library: rustup target add {TARGET}");
        let mut rustup = Command::new("rustup");
        match quiet(rustup.args(["target", "add", TARGET]).env("PATH", &self.path)) {
            Ok(_) => self.has_precompiled = has_precompiled(&self.sysroot),
            Err(error) => println!("  rustup could not: {error:#}"),
        }
    }

    /// Names the toolchain in one line: its release and its path.
    pub fn name(&self) -> String {
        let release = self.version.lines().next().unwrap_or_default();
        format!("{release} in {}", self.sysroot.display())
    }

    /// Makes the command of cargo that builds a package for WebAssembly with this compiler and such a library.
    pub fn cargo(&self, package: &str, library: Library) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(["build", "--package", package, "--target", TARGET])
            .env("PATH", &self.path)
            // The settings of both modules are unstable ones, although the compiler is a stable one.
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("CARGO")
            .env_remove("RUSTC");
        if library == Library::Rebuilt || !self.has_precompiled {
            command
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
                .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
        }
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        command
    }
}

/// Makes a command of the `rustc` that is first on a PATH.
fn rustc(path: &OsStr) -> Command {
    let mut command = Command::new("rustc");
    command.env("PATH", path);
    command
}

fn sysroot(path: &OsStr) -> Result<PathBuf> {
    Ok(PathBuf::from(quiet(rustc(path).args(["--print", "sysroot"]))?.trim()))
}

fn has_source(path: &OsStr) -> bool {
    sysroot(path).is_ok_and(|root| root.join("lib/rustlib/src/rust/library/Cargo.toml").exists())
}

fn has_precompiled(sysroot: &Path) -> bool {
    let folder = fs::read_dir(sysroot.join("lib/rustlib").join(TARGET).join("lib"));
    let mut files = folder.into_iter().flatten().flatten();
    files.any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}

fn brings_linker(sysroot: &Path) -> Result<bool> {
    let folders = fs::read_dir(sysroot.join("lib/rustlib"))?.collect::<Result<Vec<_>, _>>()?;
    Ok(folders.iter().any(|folder| folder.path().join("bin/rust-lld").exists()))
}

/// Finds the lld of the LLVM with which the compiler was built.
fn debian_linker(version: &str, apt: &Apt<'_>, debian: &Path) -> Result<String> {
    let llvm = version.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let major = llvm.and_then(|llvm| llvm.split('.').next()).context("rustc names no LLVM")?;
    let linker = format!("lld-{major}");
    if !debian.join(&linker).exists() {
        apt.install(&[&linker], "this Rust brings no linker for WebAssembly")
            .with_context(|| format!("the linker {linker} is missing"))?;
    }
    Ok(linker)
}

fn prefixed(folder: &Path, path: &OsStr) -> Result<OsString> {
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(path));
    Ok(env::join_paths(folders)?)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A simulated machine in a folder: scripts replace the programs that are called, those on its PATH in
    /// `own` and Debian's in `debian`. Each script that changes something writes into `log` what it did.
    struct Machine {
        folder: TempDir,
    }

    impl Machine {
        fn new() -> Self {
            let machine = Self { folder: TempDir::new().unwrap() };
            for folder in ["own", "debian", "packaged"] {
                fs::create_dir(machine.path(folder)).unwrap();
            }
            machine.write("log", "");
            machine
        }

        fn path(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        /// Writes a program; `ROOT` stands for the machine's folder.
        fn program(&self, path: &str, lines: &str) {
            let lines = lines.replace("ROOT", &self.folder.path().display().to_string());
            // A program may be started only once no process has it open for writing. Another process may be
            // forked in between and inherit the open file, so a shell writes it.
            let mut shell = Command::new("sh");
            shell.args(["-c", "printf '#!/bin/sh\\n%s' \"$1\" > \"$2\" && chmod +x \"$2\"", "sh"]);
            quiet(shell.arg(lines).arg(self.path(path))).unwrap();
        }

        /// Writes a rustc into a folder, with a sysroot of its own that has no source.
        fn rustc(&self, folder: &str, version: &str) {
            self.program(
                &format!("{folder}/rustc"),
                &format!(
                    "case \"$*\" in\n\
                     -vV) echo 'rustc {version}'; echo 'LLVM version: 22.1.2';;\n\
                     *sysroot) echo ROOT/{folder}-root;;\n\
                     esac\n"
                ),
            );
            self.write(&format!("{folder}-root/lib/rustlib/x86_64/bin/rust-lld"), "");
        }

        fn source(&self, folder: &str) {
            let library = format!("{folder}-root/lib/rustlib/src/rust/library/Cargo.toml");
            self.write(&library, "");
        }

        /// Writes a rustup that adds the source to a sysroot, or fails.
        fn rustup(&self, root: Option<&str>) {
            let add = match root {
                Some(root) => {
                    let library = format!("ROOT/{root}/lib/rustlib/src/rust/library");
                    format!("/bin/mkdir -p {library}; : > {library}/Cargo.toml\n")
                }
                None => "echo 'could not download' >&2; exit 1\n".to_owned(),
            };
            self.program("own/rustup", &format!("echo \"rustup $*\" >> ROOT/log\n{add}"));
        }

        /// Writes an apt-get whose packages bring a Rust with its source.
        fn apt(&self) {
            self.rustc("packaged", "1.96.0");
            let library = "ROOT/packaged-root/lib/rustlib/src/rust/library";
            self.program("own/id", "echo 0\n");
            self.program(
                "own/apt-get",
                &format!(
                    "echo \"apt-get $*\" >> ROOT/log\n\
                     case \"$*\" in\n\
                     *rustc-web*) /bin/cp ROOT/packaged/rustc ROOT/debian/rustc; \
                     /bin/mkdir -p {library}; : > {library}/Cargo.toml;;\n\
                     esac\n"
                ),
            );
        }

        fn find(&self) -> Result<Toolchain> {
            Toolchain::find_on(self.path("own").as_os_str(), &self.path("debian"))
        }

        fn found(&self) -> String {
            self.find().unwrap().name()
        }

        fn log(&self) -> String {
            fs::read_to_string(self.path("log")).unwrap()
        }
    }

    #[test]
    fn a_rust_that_has_its_source_is_taken_as_it_is() {
        let machine = Machine::new();
        for folder in ["own", "debian"] {
            machine.rustc(folder, &format!("of {folder}"));
            machine.source(folder);
        }
        machine.rustup(None);
        machine.apt();
        let root = machine.path("own-root");
        assert_eq!(machine.found(), format!("rustc of own in {}", root.display()));
        assert_eq!(machine.log(), "");
    }

    #[test]
    fn debians_is_taken_where_only_that_has_its_source() {
        let machine = Machine::new();
        machine.rustc("own", "of own");
        machine.rustc("debian", "of debian");
        machine.source("debian");
        machine.rustup(Some("own-root"));
        assert!(machine.found().starts_with("rustc of debian in "));
        assert_eq!(machine.log(), "");
    }

    #[test]
    fn rustup_adds_the_source_before_apt_get_is_asked() {
        let machine = Machine::new();
        machine.rustc("own", "of own");
        machine.rustup(Some("own-root"));
        machine.apt();
        assert!(machine.found().starts_with("rustc of own in "));
        assert_eq!(machine.log(), "rustup component add rust-src\n");
    }

    #[test]
    fn apt_get_brings_a_rust_where_rustup_can_fetch_nothing_or_adds_to_another_one() {
        for root in [None, Some("another-root")] {
            let machine = Machine::new();
            machine.rustc("own", "of own");
            machine.rustup(root);
            machine.apt();
            assert!(machine.found().starts_with("rustc 1.96.0 in "));
            let log = machine.log();
            assert!(log.starts_with("rustup component add rust-src\napt-get update\n"), "{log}");
            assert!(log.ends_with(" rustc-web cargo-web rust-web-src\n"), "{log}");
        }
    }

    #[test]
    fn a_rust_without_a_linker_takes_the_one_of_its_llvm() {
        let machine = Machine::new();
        machine.rustc("own", "of own");
        machine.source("own");
        machine.apt();
        fs::remove_file(machine.path("own-root/lib/rustlib/x86_64/bin/rust-lld")).unwrap();
        assert_eq!(machine.find().unwrap().linker.as_deref(), Some("lld-22"));
        assert!(machine.log().ends_with(" lld-22\n"), "{}", machine.log());
        machine.write("debian/lld-22", "");
        machine.write("log", "");
        machine.find().unwrap();
        assert_eq!(machine.log(), "");
    }

    #[test]
    fn the_precompiled_library_is_fetched_if_rustup_can_and_the_widget_s_is_rebuilt_all_the_same() {
        let rebuilds = |toolchain: &Toolchain, library| {
            let cargo = toolchain.cargo("asklet-edge", library);
            cargo.get_envs().any(|(name, _)| name == "CARGO_UNSTABLE_BUILD_STD")
        };
        let machine = Machine::new();
        machine.rustc("own", "of own");
        machine.source("own");
        machine.rustup(None);
        let mut toolchain = machine.find().unwrap();
        toolchain.add_precompiled();
        assert!(rebuilds(&toolchain, Library::Precompiled));
        let library = format!("ROOT/own-root/lib/rustlib/{TARGET}/lib");
        let add = format!("/bin/mkdir -p {library}; : > {library}/libstd-0123.rlib\n");
        machine.program("own/rustup", &add);
        toolchain.add_precompiled();
        assert!(!rebuilds(&toolchain, Library::Precompiled));
        assert!(rebuilds(&toolchain, Library::Rebuilt));
    }

    #[test]
    fn where_nothing_helps_the_error_says_what_to_install() {
        let machine = Machine::new();
        machine.rustc("own", "of own");
        machine.rustup(None);
        let error = format!("{:#}", machine.find().unwrap_err());
        for named in ["rustup component add rust-src", "rustc-web", "rust-web-src", "not Debian"] {
            assert!(error.contains(named), "{error}");
        }
        assert_eq!(machine.log(), "rustup component add rust-src\n");
    }
}
