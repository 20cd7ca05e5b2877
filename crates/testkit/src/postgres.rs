//! A real `PostgreSQL`.
//!
//! Debian's package, unpacked and not installed. It refuses to run as root; where tests do, it runs in a user namespace
//! in which it is somebody else, and its files are still root's.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{Launch, Process, eventually_blocking, fetched, free_port, run_dir};

const START_DEADLINE: Duration = Duration::from_secs(60);

/// The user, and its password.
const SECRET: &str = "secret";

const CERTIFICATE: &str = "server.pem";
const KEY: &str = "server-key.pem";

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    root: PathBuf,
    folder: PathBuf,
    process: Process,
}

impl Postgres {
    /// Starts one with an empty database `postgres` of the user `postgres`, whose password is `secret`.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start() -> Self {
        let (port, folder, root) = (
            free_port(),
            run_dir("postgres"),
            fetched::fetched("postgres"),
        );
        let data = folder.join("data");
        let password = folder.join("password");
        std::fs::write(&password, SECRET).unwrap_or_else(|error| panic!("{password:?}: {error}"));
        run(as_somebody(&root, "initdb").args([
            &format!("--pgdata={}", data.display()),
            &format!("--pwfile={}", password.display()),
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        certify(&folder);
        let command = as_somebody(&root, "postgres");
        let mut launch = Launch::new("postgres", command.get_program())
            .args(command.get_args())
            .env("LD_LIBRARY_PATH", fetched::libraries(&root))
            .log_to(folder.join("postgres.log"));
        let port_text = port.to_string();
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "ssl=on",
            &format!("ssl_cert_file={}", folder.join(CERTIFICATE).display()),
            &format!("ssl_key_file={}", folder.join(KEY).display()),
            &format!("port={port_text}"),
        ] {
            launch = launch.args(["-c", setting]);
        }
        let process = launch.arg("-D").arg(&data).start();
        let server = Self {
            port,
            root,
            folder,
            process,
        };
        eventually_blocking(START_DEADLINE, || {
            let output = server.psql("SELECT 1");
            if output.status.success() {
                Ok(())
            } else {
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
        });
        server
    }

    /// Where it is, and its user; the password is `secret`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The certificate that it shows for TLS, signed by itself.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// Its port of 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process, to pause or kill it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// What statements print: a line for each row, columns separated by `|`.
    ///
    /// # Panics
    ///
    /// When they are refused.
    #[track_caller]
    pub fn query(&self, statements: &str) -> String {
        let output = self.psql(statements);
        assert!(
            output.status.success(),
            "{statements}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn psql(&self, statements: &str) -> std::process::Output {
        let arguments = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"];
        Command::new(program(&self.root, "psql"))
            .env("PGPASSWORD", SECRET)
            .env("LD_LIBRARY_PATH", fetched::libraries(&self.root))
            .args(arguments)
            .args([&self.url(), "-c", statements])
            .output()
            .unwrap_or_else(|error| panic!("psql: {error}"))
    }
}

/// A certificate for 127.0.0.1, and its key, which nobody else may read.
fn certify(folder: &Path) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
        .unwrap_or_else(|error| panic!("a certificate: {error}"));
    let key = folder.join(KEY);
    for (path, text) in [
        (folder.join(CERTIFICATE), certified.cert.pem()),
        (key.clone(), certified.signing_key.serialize_pem()),
    ] {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, private).unwrap_or_else(|error| panic!("{key:?}: {error}"));
}

fn program(root: &Path, name: &str) -> PathBuf {
    let debian = root.join("usr/lib/postgresql");
    let version = std::fs::read_dir(debian)
        .ok()
        .and_then(|mut versions| versions.next()?.ok());
    match version {
        Some(version) => version.path().join("bin").join(name),
        None => root.join("usr/bin").join(name),
    }
}

/// The program, as somebody who is not root.
fn as_somebody(root: &Path, name: &str) -> Command {
    let program = program(root, name);
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-user=1000", "--map-group=1000", "--"])
        // A new namespace forgets whose death is to be ours.
        .args(["setpriv", "--pdeathsig", "KILL", "--"])
        .arg(program);
    command
}

fn run(command: &mut Command) {
    let root = fetched::fetched("postgres");
    let output = command
        .env("LD_LIBRARY_PATH", fetched::libraries(&root))
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
