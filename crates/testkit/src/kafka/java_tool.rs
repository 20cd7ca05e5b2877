//! The running Java tool, which answers questions about a broker.
//!
//! Starting Java and its client takes a second and an answer some milliseconds, so a tool that has
//! answered waits for the next question. Two questions at once are answered by two tools.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use super::java;
use crate::process::spawn_supervised;

static IDLE: Mutex<Vec<Tool>> = Mutex::new(Vec::new());

struct Tool {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Killed with this process; kept so that nobody else waits for it.
    _child: Child,
}

/// Asks one question: its words, and the rows that it reads; the rows of the answer.
pub(super) fn run(args: &[&str], rows: &str) -> String {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut tool = idle.unwrap_or_else(start);
    let answer = ask(&mut tool, args, rows).unwrap_or_else(|error| panic!("{args:?}: {error}"));
    IDLE.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(tool);
    answer.unwrap_or_else(|why| panic!("{args:?}: {why}"))
}

fn start() -> Tool {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--", "java"])
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"])
        .args(java("log4j2-tool.properties"))
        .arg("Tool")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = spawn_supervised(command).unwrap_or_else(|error| panic!("java: {error}"));
    match (child.stdin.take(), child.stdout.take()) {
        (Some(input), Some(output)) => Tool {
            input,
            output: BufReader::new(output),
            _child: child,
        },
        _ => panic!("java was started without pipes"),
    }
}

/// The tool reads all its input before it writes, so the two pipes cannot block each other.
fn ask(tool: &mut Tool, args: &[&str], rows: &str) -> std::io::Result<Result<String, String>> {
    writeln!(tool.input, "{}", args.join("\t"))?;
    tool.input.write_all(rows.as_bytes())?;
    tool.input.write_all(b".\n")?;
    tool.input.flush()?;
    let mut answer = String::new();
    loop {
        let start = answer.len();
        if tool.output.read_line(&mut answer)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = answer.get(start..).unwrap_or_default().trim_end();
        if line == ".ok" {
            answer.truncate(start);
            return Ok(Ok(answer));
        }
        if let Some(why) = line.strip_prefix(".failed ") {
            return Ok(Err(why.to_owned()));
        }
    }
}
