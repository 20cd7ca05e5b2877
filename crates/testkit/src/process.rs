//! Child processes that cannot outlive the test that started them.
//!
//! Each child leads its own process group and writes to one log file. Dropping the [`Process`]
//! kills the group. When the test process itself is killed, the kernel kills the child
//! (`PR_SET_PDEATHSIG`, set by `setpriv`, since setting it from here would need unsafe code).

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal};

use crate::eventually_blocking;

pub(crate) use spawner::spawn as spawn_supervised;

mod spawner;
#[cfg(test)]
mod tests;
mod usage;

/// A command that is about to be started.
#[derive(Debug)]
pub struct Launch {
    name: String,
    program: PathBuf,
    command: Command,
    log: Option<PathBuf>,
}

impl Launch {
    /// Prepares `program`; `name` is what messages and the log file call it.
    #[must_use]
    pub fn new(name: &str, program: impl AsRef<Path>) -> Self {
        let program = program.as_ref().to_owned();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&program);
        // The tests' own; a program that reads its settings from `SLUICE_…` would not know it.
        command.env_remove("SLUICE_TEST_CACHE");
        Self {
            name: name.to_owned(),
            program,
            command,
            log: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Starts it in this folder.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Appends to this log file instead of one in a new [`crate::run_dir()`].
    #[must_use]
    pub fn log_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When there is no such program, or no `setpriv` (Debian: `util-linux`).
    #[track_caller]
    #[must_use]
    pub fn start(mut self) -> Process {
        let name = self.name;
        assert!(
            found(&self.program),
            "{name}: there is no program {:?}",
            self.program
        );
        let log = self
            .log
            .unwrap_or_else(|| crate::run_dir(&name).join(format!("{name}.log")));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap_or_else(|error| panic!("{name}: {log:?}: {error}"));
        let copy = file
            .try_clone()
            .unwrap_or_else(|error| panic!("{name}: {log:?}: {error}"));
        self.command.stdin(Stdio::null()).stdout(copy).stderr(file);
        let child = spawner::spawn(self.command).unwrap_or_else(|error| {
            panic!("{name}: cannot start (is `setpriv` of util-linux installed?): {error}")
        });
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Process {
            pid: pid.unwrap_or_else(|| panic!("{name}: {} is not a pid", child.id())),
            child: Mutex::new(child),
            name,
            log,
        }
    }
}

/// A running child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: Pid,
    log: PathBuf,
    child: Mutex<Child>,
}

impl Process {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// The file that its standard output and standard error go to.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it has written so far.
    ///
    /// # Panics
    ///
    /// When the log file cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes =
            std::fs::read(&self.log).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    ///
    /// When the operating system does not say.
    #[must_use]
    pub fn exited(&self) -> Option<ExitStatus> {
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_wait()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Waits for the first line of the log that contains `text`, and returns it.
    ///
    /// # Panics
    ///
    /// When `deadline` passes or the process ends first; the message ends with the log's last lines.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str, deadline: Duration) -> String {
        self.wait(deadline, || {
            let log = self.log();
            log.lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
                .ok_or_else(|| format!("no line with {text:?}"))
        })
    }

    /// Waits until somebody listens on this port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When `deadline` passes or the process ends first.
    #[track_caller]
    pub fn wait_for_port(&self, port: u16, deadline: Duration) {
        self.wait(deadline, || {
            TcpStream::connect(("127.0.0.1", port))
                .map(drop)
                .map_err(|error| format!("port {port}: {error}"))
        });
    }

    /// Asks `probe` until it answers `Ok`, for as long as the process runs.
    ///
    /// # Panics
    ///
    /// When `deadline` passes or the process ends first.
    #[track_caller]
    pub fn wait<T>(&self, deadline: Duration, mut probe: impl FnMut() -> Result<T, String>) -> T {
        let outcome = eventually_blocking(deadline, || match (probe(), self.exited()) {
            (Ok(value), _) => Ok(Ok(value)),
            (Err(seen), Some(status)) => Ok(Err(format!("ended with {status}; {seen}"))),
            (Err(seen), None) => Err(self.described(&seen)),
        });
        outcome.unwrap_or_else(|why| panic!("{}", self.described(&why)))
    }

    /// Waits until it answers this path on its port of 127.0.0.1 with 200: ready, in its own words.
    ///
    /// # Panics
    ///
    /// When `deadline` passes or the process ends first; the message has the last answer.
    #[track_caller]
    pub fn wait_until_ready(&self, port: u16, path: &str, deadline: Duration) {
        self.wait(deadline, || match crate::http::get(port, path) {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(answer.text()),
            Err(error) => Err(error.to_string()),
        });
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When `deadline` passes first.
    #[track_caller]
    pub fn wait_for_exit(&self, deadline: Duration) -> ExitStatus {
        eventually_blocking(deadline, || {
            self.exited().ok_or_else(|| self.described("still running"))
        })
    }

    /// SIGKILL to the process group, and waits until the process is gone.
    pub fn kill(&self) {
        self.signal_group(Signal::KILL);
        self.wait_for_exit(Duration::from_secs(30));
    }

    /// SIGTERM: asks it to stop, as an orchestrator does.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGSTOP: it stops answering, but its connections stay open.
    pub fn pause(&self) {
        self.signal_group(Signal::STOP);
    }

    /// SIGCONT after [`Process::pause`].
    pub fn resume(&self) {
        self.signal_group(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        // Not after the end: the pid may be somebody else's by now.
        if self.exited().is_none() {
            rustix::process::kill_process(self.pid, signal)
                .unwrap_or_else(|error| panic!("{}: {signal:?}: {error}", self.name));
        }
    }

    fn signal_group(&self, signal: Signal) {
        if self.exited().is_none() {
            rustix::process::kill_process_group(self.pid, signal)
                .unwrap_or_else(|error| panic!("{}: {signal:?}: {error}", self.name));
        }
    }

    fn described(&self, seen: &str) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(30)..).unwrap_or(&[]);
        format!(
            "{} (pid {}): {seen}; its log {:?} ends with\n{}",
            self.name,
            self.pid(),
            self.log,
            tail.join("\n")
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Ok(None) = child.try_wait() {
            // Nothing can be done about an error here, and the kernel kills it with this process.
            rustix::process::kill_process_group(self.pid, Signal::KILL).unwrap_or_default();
            child.wait().map(drop).unwrap_or_default();
        }
    }
}

fn found(program: &Path) -> bool {
    if program.components().count() > 1 {
        return program.exists();
    }
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}
