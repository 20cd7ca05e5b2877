//! Waiting for something outside the test, with a deadline instead of a sleep.
//!
//! The probe answers `Ok` when it is done, or `Err` with what it saw; the last thing it saw is in
//! the panic, so that a failure says how far things had come.

use std::{
    fmt::Debug,
    future::Future,
    panic::Location,
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_millis(20);

/// Asks `probe` again and again until it answers `Ok`; for tests without a runtime.
///
/// # Panics
///
/// When `deadline` passes first.
#[track_caller]
pub fn eventually_blocking<T, E: Debug>(
    deadline: Duration,
    mut probe: impl FnMut() -> Result<T, E>,
) -> T {
    let started = Instant::now();
    loop {
        match probe() {
            Ok(value) => return value,
            Err(seen) if started.elapsed() >= deadline => {
                panic!("not within {deadline:?}; the last that was seen: {seen:?}")
            }
            Err(_) => pause(),
        }
    }
}

/// Asks `probe` again and again until it answers `Ok`, letting the test's other tasks run.
///
/// # Panics
///
/// When `deadline` passes first.
#[track_caller]
pub fn eventually<T, E: Debug, F: Future<Output = Result<T, E>>>(
    deadline: Duration,
    mut probe: impl FnMut() -> F,
) -> impl Future<Output = T> {
    // An async function would not know who called it.
    let caller = Location::caller();
    async move {
        let started = tokio::time::Instant::now();
        loop {
            match probe().await {
                Ok(value) => return value,
                Err(seen) if started.elapsed() >= deadline => {
                    panic!("{caller}: not within {deadline:?}; the last that was seen: {seen:?}")
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the caller is a test thread that has nothing else to do"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
