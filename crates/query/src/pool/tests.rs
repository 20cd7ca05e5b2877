//! Questions wait their turn, and a panic is one question's.

use std::sync::mpsc::channel;

use super::*;

#[tokio::test]
async fn a_question_that_panics_does_not_end_the_thread() {
    let pool = Pool::new(Config {
        max_concurrent: 1,
        ..Config::default()
    });
    let answer = pool
        .run(|_| -> Result<(), Error> { panic!("a defect") })
        .await;
    assert_eq!(answer, Err(Error::Defect));
    assert_eq!(pool.run(|_| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn more_questions_than_may_wait_are_refused_at_once() {
    let pool = Pool::new(Config {
        max_concurrent: 1,
        ..Config::default()
    });
    let (go, gate) = channel::<()>();
    let (begun, has_begun) = channel();
    pool.send(Box::new(move || {
        begun.send(()).unwrap();
        gate.recv().unwrap_or(());
    }))
    .unwrap();
    has_begun.recv().unwrap();
    for _ in 0..WAITING {
        pool.send(Box::new(|| {})).unwrap();
    }
    let refused = pool.run(|_| Ok(())).await;
    assert!(matches!(refused, Err(Error::Overloaded(_))), "{refused:?}");
    drop(go);
}

#[tokio::test]
async fn work_that_nobody_waits_for_ends() {
    let pool = Pool::new(Config::default());
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (ended, has_ended) = tokio::sync::oneshot::channel();
    let endless = pool.run(move |budget| {
        begun.send(()).unwrap();
        let outcome = loop {
            if let Err(error) = budget.step() {
                break error;
            }
        };
        ended.send(outcome.clone()).unwrap();
        Err::<(), _>(outcome)
    });
    // Until it runs, and no longer.
    tokio::select! {
        answer = endless => panic!("{answer:?}"),
        begun = has_begun => begun.unwrap(),
    }
    assert_eq!(has_ended.await.unwrap(), Error::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_never_looks_at_the_clock_is_given_up_in_time() {
    let pool = Pool::new(Config::default());
    let (go, gate) = channel::<()>();
    let answer = pool
        .run(move |_| {
            gate.recv().unwrap_or(());
            Ok(())
        })
        .await;
    assert_eq!(answer, Err(Error::Timeout(20)));
    drop(go);
}
