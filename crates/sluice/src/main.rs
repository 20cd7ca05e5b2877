//! The `sluice` command: reads the settings, then hands over to the library.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's answers and its last words"
)]

use std::process::ExitCode;

use clap::Parser;
use sluice::cli::{Cli, Command};
use sluice::replay::Outcome;
use sluice::settings::{Role, Source};

/// Requests, the log and the stores free what other threads allocated, which the C library's arenas
/// keep: half of the standalone's peak was memory that nobody held.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `EX_CONFIG` would be 78; `EX_USAGE` is what supervisors treat as "do not start again as it is".
const WRONG_SETTINGS: u8 = 64;

/// Something was left undone, and has been said.
const INCOMPLETE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions are answers, the rest is a mistake; either is lost when nobody reads it.
            error.print().unwrap_or_default();
            let is_mistake = error.use_stderr();
            return ExitCode::from(if is_mistake { WRONG_SETTINGS } else { 0 });
        }
    };
    let (role, source, start) = match cli.command {
        Command::Standalone(source) => (Role::Standalone, source, true),
        Command::Gateway(source) => (Role::Gateway, source, true),
        Command::Consumer(source) => (Role::Consumer, source, true),
        Command::Replay(arguments) => return tool(sluice::replay::replay(&arguments)),
        Command::Tail(arguments) => return tool(sluice::tail::tail(&arguments)),
        Command::Topic(arguments) => return tool(sluice::topic::topic(&arguments)),
        Command::Dlq(arguments) => return tool(sluice::dlq::dlq(&arguments)),
        Command::Demo(arguments) => return tool(sluice::demo::demo(&arguments)),
        Command::CheckConfig { role, settings } => (role, settings, false),
        Command::HashKey { new } => return answer(hash_key(new)),
        Command::HashPassword => {
            return answer(secret().and_then(|password| sluice::hash_password(&password)));
        }
    };
    let source = Source::new(role, source.config, service::settings::environment());
    let settings = match source.load() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("sluice: {error}");
            return ExitCode::from(WRONG_SETTINGS);
        }
    };
    if !start {
        // What applies, with secrets as `***`.
        let text = serde_json::to_string_pretty(&settings);
        return answer(text.map_err(|error| error.to_string()));
    }
    match sluice::run(source, settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sluice: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The end of a command that looks at the buffer.
fn tool(outcome: anyhow::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::from(INCOMPLETE),
        Err(error) => {
            eprintln!("sluice: {error:#}");
            if error.is::<sluice::tools::Usage>() {
                ExitCode::from(WRONG_SETTINGS)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn hash_key(new: bool) -> Result<String, String> {
    if new {
        let key = sluice::new_key()?;
        return Ok(format!("key:    {key}\nsha256: {}", sluice::hash_key(&key)));
    }
    Ok(sluice::hash_key(&secret()?))
}

/// From standard input, where neither the list of processes nor the shell's history shows it.
fn secret() -> Result<String, String> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| format!("standard input: {error}"))?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err("standard input: the first line is empty".to_owned());
    }
    Ok(secret.to_owned())
}

fn answer(answer: Result<String, String>) -> ExitCode {
    match answer {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sluice: {error}");
            ExitCode::FAILURE
        }
    }
}
