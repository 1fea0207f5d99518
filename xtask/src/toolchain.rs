//! The Rust that builds for the browser and for the Worker. Its standard library is always rebuilt,
//! because that is where the bytes are, so a compiler with the library's source is all that it takes:
//! rustup's with `rust-src`, or Debian's.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step::quiet;
use crate::tools::{apt_install, on_path};

const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler with the source of its library.
pub struct Toolchain {
    /// The PATH on which `cargo` and `rustc` are that compiler's.
    path: OsString,
    /// The linker, where the compiler brings none.
    linker: Option<String>,
    /// `rustc -vV`: what was built depends on it.
    pub version: String,
}

impl Toolchain {
    /// Finds one, or installs one.
    pub fn find() -> Result<Self> {
        let own_path = env::var_os("PATH").unwrap_or_default();
        let system_path = prefixed("/usr/bin", &own_path)?;
        for path in [&own_path, &system_path] {
            if has_source(path) {
                return Self::on(path.clone());
            }
        }
        if on_path("rustup").is_some() {
            println!("adding the source of the standard library with rustup");
            if quiet(Command::new("rustup").args(["component", "add", "rust-src"])).is_ok() {
                return Self::on(own_path);
            }
        }
        apt_install(&["rustc-web", "cargo-web", "rust-web-src"]).context(
            "no Rust with the source of its standard library: run `rustup component add \
             rust-src`, or install Debian's packages rustc-web, cargo-web and rust-web-src",
        )?;
        if !has_source(&system_path) {
            bail!("Debian's Rust came without the source of its standard library");
        }
        Self::on(system_path)
    }

    fn on(path: OsString) -> Result<Self> {
        let version = quiet(rustc(&path).arg("-vV"))?;
        let linker = if brings_linker(&path)? { None } else { Some(debian_linker(&version)?) };
        // worker-build looks for this folder, and asks rustup for the target where it is missing.
        let library = quiet(rustc(&path).args(["--target", TARGET, "--print", "target-libdir"]))?;
        fs::create_dir_all(library.trim())
            .with_context(|| format!("cannot make {}", library.trim()))?;
        Ok(Self { path, linker, version })
    }

    /// The PATH on which `cargo` and `rustc` are this compiler's.
    pub fn path(&self) -> &OsStr {
        &self.path
    }

    /// A command with this compiler on its PATH, set up to rebuild the standard library.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("PATH", &self.path)
            // The source of the library is an unstable input; the compiler is a stable one.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
            .env_remove("CARGO")
            .env_remove("RUSTC");
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        command
    }
}

/// The `rustc` that is first on a PATH.
fn rustc(path: &OsString) -> Command {
    let mut command = Command::new("rustc");
    command.env("PATH", path);
    command
}

fn sysroot(path: &OsString) -> Result<PathBuf> {
    Ok(PathBuf::from(quiet(rustc(path).args(["--print", "sysroot"]))?.trim()))
}

fn has_source(path: &OsString) -> bool {
    sysroot(path).is_ok_and(|root| root.join("lib/rustlib/src/rust/library/Cargo.toml").exists())
}

fn brings_linker(path: &OsString) -> Result<bool> {
    let hosts = sysroot(path)?.join("lib/rustlib");
    let folders = fs::read_dir(hosts)?.collect::<Result<Vec<_>, _>>()?;
    Ok(folders.iter().any(|folder| folder.path().join("bin/rust-lld").exists()))
}

/// The lld of the LLVM that the compiler was built with.
fn debian_linker(version: &str) -> Result<String> {
    let llvm = version.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let major = llvm.and_then(|llvm| llvm.split('.').next()).context("rustc names no LLVM")?;
    let linker = format!("lld-{major}");
    if !Path::new("/usr/bin").join(&linker).exists() {
        apt_install(&[&linker]).with_context(|| format!("the linker {linker} is missing"))?;
    }
    Ok(linker)
}

fn prefixed(folder: &str, path: &OsString) -> Result<OsString> {
    let folders = std::iter::once(PathBuf::from(folder)).chain(env::split_paths(path));
    Ok(env::join_paths(folders)?)
}
