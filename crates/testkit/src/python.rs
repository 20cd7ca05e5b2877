//! Programs in Python, run with pinned packages: agents as users write them, and readers of files.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[cfg(test)]
mod tests;

/// The interpreter of the fetched environment, whose packages `python/requirements.txt` lists.
///
/// # Panics
///
/// When it cannot be fetched.
#[must_use]
pub fn interpreter() -> PathBuf {
    crate::fetched::fetched("python").join("venv/bin/python")
}

/// The command `schemathesis`, whose packages `python/schemathesis.txt` lists.
///
/// # Panics
///
/// When it cannot be fetched.
#[must_use]
pub fn schemathesis() -> PathBuf {
    crate::fetched::fetched("schemathesis").join("venv/bin/schemathesis")
}

/// Runs a program and returns what it printed.
///
/// # Panics
///
/// When it fails; the message has its traceback.
#[must_use]
pub fn run(program: &str, args: &[&str]) -> String {
    run_with(&interpreter(), program, args)
}

/// Runs a program with the client of Prometheus's query API, from `python/promql.txt`.
///
/// # Panics
///
/// When it fails; the message has its traceback.
#[must_use]
pub fn run_promql(program: &str, args: &[&str]) -> String {
    let interpreter = crate::fetched::fetched("promql").join("venv/bin/python");
    run_with(&interpreter, program, args)
}

/// The same with another environment's interpreter.
#[must_use]
pub(crate) fn run_with(interpreter: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(interpreter)
        .args(["-c", program])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("python: {error}"));
    assert!(
        output.status.success(),
        "the Python program failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
