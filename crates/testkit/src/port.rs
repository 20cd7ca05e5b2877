//! Ports that nobody else takes before the server that needs one has opened it.

use std::{
    collections::HashMap,
    fs::File,
    net::TcpListener,
    sync::{Mutex, PoisonError},
};

/// Below the range that the kernel hands out by itself (`ip_local_port_range`), so that a client's
/// connection cannot take the port between the choice and the server's start.
const FIRST: u16 = 18_000;
const COUNT: u16 = 12_000;

/// The ports that this process holds, each by a lock that ends with the process.
static HELD: Mutex<Option<HashMap<u16, File>>> = Mutex::new(None);

/// A TCP port of 127.0.0.1 that no other test on this machine is given while this process lives.
///
/// # Panics
///
/// When no port is free.
#[must_use]
pub fn free_port() -> u16 {
    let folder = crate::cache_dir().join("ports");
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.get_or_insert_default();
    let offset = std::process::id().wrapping_mul(211);
    for step in 0..u32::from(COUNT) {
        let index = offset.wrapping_add(step) % u32::from(COUNT);
        let port = FIRST + u16::try_from(index).unwrap_or(0);
        if held.contains_key(&port) {
            continue;
        }
        let lock = File::create(folder.join(port.to_string()));
        if let Ok(lock) = lock
            && lock.try_lock().is_ok()
            && TcpListener::bind(("127.0.0.1", port)).is_ok()
            && TcpListener::bind(("0.0.0.0", port)).is_ok()
        {
            held.insert(port, lock);
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}
