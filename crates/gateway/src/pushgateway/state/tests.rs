//! Which of several tellings of a group counts.

use super::*;
use crate::pushgateway::group::{Family, Label};

fn group(id: &str, kind: u32) -> Group {
    let series = Series {
        name: "a".to_owned(),
        labels: vec![Label {
            name: "job".to_owned(),
            value: "j".to_owned(),
        }],
        ..Series::default()
    };
    Group {
        id: id.as_bytes().to_vec(),
        families: vec![Family {
            name: "a".to_owned(),
            kind,
            series: vec![series],
            ..Family::default()
        }],
        ..Group::default()
    }
}

const KEY: Bytes = Bytes::from_static(b"key");

fn id(state: &State) -> Option<String> {
    let group = state.get(&KEY)?;
    Some(String::from_utf8(group.id.clone()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_older_telling_does_not_undo_an_own_change() {
    let mut state = State::default();
    state.told(&KEY, Some(group("1", 1)));
    state.begin(&KEY, Some(b"3".to_vec()));
    assert_eq!(id(&state).as_deref(), Some("1"), "not durable yet");
    state.confirm(&KEY, Some(group("3", 1)));
    state.told(&KEY, Some(group("2", 1)));
    assert_eq!(id(&state).as_deref(), Some("3"));
    state.told(&KEY, Some(group("3", 1)));
    state.told(&KEY, Some(group("4", 1)));
    assert_eq!(id(&state).as_deref(), Some("4"));
}

#[tokio::test(start_paused = true)]
async fn a_telling_before_the_answer_counts_and_a_later_one_too() {
    let mut state = State::default();
    state.begin(&KEY, Some(b"1".to_vec()));
    state.told(&KEY, Some(group("1", 1)));
    state.told(&KEY, Some(group("2", 1)));
    state.confirm(&KEY, Some(group("1", 1)));
    assert_eq!(id(&state).as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn what_was_held_back_counts_when_the_own_change_failed_or_never_comes() {
    let mut state = State::default();
    state.begin(&KEY, None);
    state.told(&KEY, Some(group("1", 1)));
    assert_eq!(id(&state), None);
    state.give_up(&KEY);
    assert_eq!(id(&state).as_deref(), Some("1"));

    state.begin(&KEY, None);
    state.confirm(&KEY, None);
    state.told(&KEY, Some(group("2", 1)));
    assert_eq!(id(&state), None);
    tokio::time::advance(PATIENCE).await;
    state.tidy();
    assert_eq!(id(&state).as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn counts_end_where_they_began() {
    let mut state = State::default();
    for kind in [1, 2, 1] {
        state.told(&KEY, Some(group("x", kind)));
    }
    assert_eq!(
        (state.len(), state.kinds.len(), state.series.len()),
        (1, 1, 1)
    );
    assert_eq!(state.bytes(), group("x", 1).encoded_len());
    state.told(&KEY, None);
    assert_eq!((state.len(), state.bytes()), (0, 0));
    assert!(state.kinds.is_empty() && state.series.is_empty());
}
