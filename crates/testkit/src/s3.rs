//! A real S3-compatible server: signatures checked, conditions kept, objects as files in a folder.
//!
//! Versity's S3 gateway, built from its module. It stands for what a user has in its place.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Launch, Process, free_port, python, run_dir};

#[cfg(test)]
mod tests;

const START_DEADLINE: Duration = Duration::from_secs(60);

/// The one bucket that is there.
const BUCKET: &str = "metrics";

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct S3 {
    port: u16,
    folder: PathBuf,
    process: Process,
}

impl S3 {
    /// The key that requests are signed with.
    pub const ACCESS_KEY_ID: &'static str = "sluice-test";
    /// Its secret.
    pub const SECRET_ACCESS_KEY: &'static str = "a-secret-of-tests";

    /// Starts one with an empty bucket.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start() -> Self {
        let (port, folder) = (free_port(), run_dir("s3"));
        for part in ["notes", &format!("objects/{BUCKET}")] {
            let part = folder.join(part);
            std::fs::create_dir_all(&part).unwrap_or_else(|error| panic!("{part:?}: {error}"));
        }
        let process = launch(port, &folder);
        Self {
            port,
            folder,
            process,
        }
    }

    /// Kills it.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Starts it again after its end, on the same port with the same objects.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.process.kill();
        self.process.wait_for_exit(START_DEADLINE);
        self.process = launch(self.port, &self.folder);
    }

    /// Where its API is.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// A Delta Lake table in a folder of the bucket, as JSON rows that DuckDB and Polars agree on.
    ///
    /// # Panics
    ///
    /// When one of them cannot read it, or they read different rows.
    #[must_use]
    pub fn read_table(&self, folder: &str) -> String {
        let interpreter = crate::fetched::fetched("lake").join("venv/bin/python");
        python::run_with(
            &interpreter,
            include_str!("s3/read_table.py"),
            &[
                &format!("s3://{BUCKET}/{folder}"),
                &format!("127.0.0.1:{}", self.port),
                Self::ACCESS_KEY_ID,
                Self::SECRET_ACCESS_KEY,
            ],
        )
    }
}

fn launch(port: u16, folder: &std::path::Path) -> Process {
    let program = crate::fetched::fetched("s3").join("bin/versitygw");
    let process = Launch::new("s3", program)
        .args(["--port", &format!("127.0.0.1:{port}")])
        .args(["--access", S3::ACCESS_KEY_ID])
        .args(["--secret", S3::SECRET_ACCESS_KEY])
        .args(["--keep-alive", "--quiet", "posix", "--sidecar"])
        .arg(folder.join("notes"))
        .arg(folder.join("objects"))
        .log_to(folder.join("s3.log"))
        .start();
    process.wait_for_port(port, START_DEADLINE);
    process
}
