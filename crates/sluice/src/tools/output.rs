//! Standard output and error as a terminal, a pipe or a file want them.

use std::io::{ErrorKind, IsTerminal, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Whether somebody looks at standard error.
pub(crate) fn has_watcher() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether somebody looks at standard output.
pub(crate) fn has_reader_with_eyes() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether nobody will read standard output any more, as behind a `| head` that has ended. Asked because whoever has
/// nothing to write would not notice.
pub(crate) fn is_gone() -> bool {
    let stdout = std::io::stdout();
    let mut looked = [PollFd::new(&stdout, PollFlags::empty())];
    let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    poll(&mut looked, Some(&Timespec::default())).is_ok()
        && looked.iter().any(|fd| fd.revents().intersects(gone))
}

/// Writes to standard output. False when nobody reads it any more, as behind `| head`: a reason to end, and no error.
///
/// # Errors
/// When it cannot be written for another reason.
pub(crate) fn put(text: &str) -> anyhow::Result<bool> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(anyhow::Error::new(error).context("standard output")),
    }
}

/// Says something beside the output. Nobody may be there to hear it.
pub(crate) fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush())
        .unwrap_or_default();
}
