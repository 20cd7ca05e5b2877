//! The fault suite: breaks every part under a numbered load, and accounts for every sample.
//!
//! A scenario is a list of steps on real parts. A row of the table fails when a sample that was
//! acknowledged is not found, when a request hangs or gets a 500, when a process of Sluice panics,
//! ends by itself or takes too much memory, or when what the scenario expects beside does not hold.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: its output is its result"
)]

mod arguments;
mod disk;
mod handled;
mod load;
mod look;
mod receiver;
mod row;
mod scenario;
mod scenarios;
mod sluice;
mod stage;
mod suite;
mod table;
mod tally;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = arguments::Arguments::parse();
    if arguments.scenarios == ["list"] {
        for scenario in scenarios::all() {
            println!("{:<28} {}", scenario.name, scenario.expects);
        }
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if suite::run(&mut arguments)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
