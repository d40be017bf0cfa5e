//! The command line of certorder.

use std::process::ExitCode;

use certorder::api;
use certorder::core::redact::without_user_information;
use certorder::process::config::{Cli, Command};
use certorder::process::{probe, runtime};
use clap::Parser;
use clap::error::ErrorKind;

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(Cli { command }) => command,
        Err(error) => return refuse(&error),
    };
    let outcome = match command {
        Command::Run(config) => runtime::start(*config).map_err(|error| error.to_string()),
        Command::Crds { write: Some(directory) } => {
            api::write_crds(&directory).map_err(|error| format!("{}: {error}", directory.display()))
        }
        Command::Crds { write: None } => print_crds(),
        Command::Probe { url } => {
            probe::probe(&url).map(|answer| println!("{answer}")).map_err(|error| error.to_string())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("certorder: {}", without_user_information(&error));
            ExitCode::FAILURE
        }
    }
}

/// The help, or why the command line is refused. The value that is refused may be a URL with a password.
fn refuse(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        error.exit();
    }
    eprint!("{}", without_user_information(&error.to_string()));
    ExitCode::from(2)
}

fn print_crds() -> Result<(), String> {
    use std::io::Write;
    let yaml = api::crds_yaml().map_err(|error| error.to_string())?;
    // A reader that has seen enough (`| head`) closes the pipe; that is no failure.
    match std::io::stdout().write_all(yaml.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}
