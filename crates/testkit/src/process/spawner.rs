//! The thread that starts all children.
//!
//! The kernel sends a child its parent-death signal when the *thread* that started it ends, and a
//! test's thread ends with the test; this one lives as long as the process.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command},
    sync::{OnceLock, mpsc},
};

type Order = (Command, mpsc::SyncSender<io::Result<Child>>);

static ORDERS: OnceLock<mpsc::SyncSender<Order>> = OnceLock::new();

/// Starts the command as the leader of a process group of its own.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    let orders = ORDERS.get_or_init(|| {
        let (sender, receiver) = mpsc::sync_channel::<Order>(1);
        std::thread::spawn(move || {
            for (mut command, answer) in receiver {
                // Whoever ordered it may have panicked meanwhile.
                answer
                    .send(command.process_group(0).spawn())
                    .unwrap_or_default();
            }
        });
        sender
    });
    let (answer, child) = mpsc::sync_channel(1);
    orders
        .send((command, answer))
        .map_err(|_| io::Error::other("the thread that starts processes is gone"))?;
    child
        .recv()
        .map_err(|_| io::Error::other("the thread that starts processes is gone"))?
}
