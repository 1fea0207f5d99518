//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use asklet_xtask::{backup, build, fuzz, serve, size, test};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, serves and tests Asklet")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is stale and run it on this machine, with its data in one folder
    Serve(serve::Options),
    /// Run all checks, or a part of them
    Test(test::Options),
    /// Run the long tests: many kills under load, full disks, panics, and fuzzing
    Proof,
    /// Fuzz with the input of untrusted clients, or replay an input that failed
    Fuzz(fuzz::Options),
    /// Measure the cost of a page, and the cost of collecting compared with an object that does one INSERT
    Bench,
    /// Build the deployable artefacts in dist/
    Build,
    /// Print the bytes of what a browser downloads and of the Worker, and how long the Worker takes to start; fail above
    /// the budgets
    Size,
    /// Build, and run the Worker in `wrangler dev`
    Dev {
        /// The port to listen on
        #[arg(long, default_value_t = 8787)]
        port: u16,
    },
    /// Write a data folder into one file; the server must not be running
    Backup {
        /// The file to write
        file: PathBuf,
        /// The data folder
        #[arg(long, default_value = ".asklet")]
        data: PathBuf,
    },
    /// Make a data folder from a backup; the folder must not exist
    Restore {
        /// The file that `backup` wrote
        file: PathBuf,
        /// The data folder
        #[arg(long, default_value = ".asklet")]
        data: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve(options) => serve::serve(&options),
        Command::Test(options) => test::test(&options),
        Command::Proof => test::proof(),
        Command::Fuzz(options) => fuzz::fuzz(&options),
        Command::Bench => test::bench(),
        Command::Build => build::build().map(drop),
        Command::Size => size::size(&build::build()?),
        Command::Dev { port } => serve::dev(port),
        Command::Backup { file, data } => backup::backup(&file, &data),
        Command::Restore { file, data } => backup::restore(&file, &data),
    }
}
