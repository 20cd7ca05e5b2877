//! Tasks end when asked, and are named when they do not.

use std::time::Duration;

use super::Tasks;

const DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn tasks_that_listen_end_in_time() {
    let tasks = Tasks::new();
    for _ in 0..3 {
        let stopping = tasks.stopping();
        tasks.spawn("listener", async move { stopping.cancelled().await });
    }
    assert_eq!(tasks.stop(DEADLINE).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_late_task_is_named() {
    let tasks = Tasks::new();
    let stopping = tasks.stopping();
    tasks.spawn("punctual", async move { stopping.cancelled().await });
    tasks.spawn("stubborn", std::future::pending());

    let started = tokio::time::Instant::now();
    assert_eq!(tasks.clone().stop(DEADLINE).await, ["stubborn"]);
    assert_eq!(started.elapsed(), DEADLINE);
}

#[tokio::test]
async fn a_panic_is_reported_and_the_task_is_gone() {
    let tasks = Tasks::new();
    tasks.spawn("healthy", std::future::pending());
    tasks.spawn("broken", async { panic!("told to") });
    assert_eq!(tasks.failed().await, "broken");
    assert_eq!(format!("{tasks:?}"), r#"Tasks({0: "healthy"})"#);
}

#[tokio::test(start_paused = true)]
async fn without_a_panic_nothing_is_reported() {
    let tasks = Tasks::new();
    tasks.spawn("brief", async {});
    tokio::time::timeout(DEADLINE, tasks.failed())
        .await
        .unwrap_err();
}
