//! A store in trouble, out of it, and one that refuses.

use super::Watched;

#[test]
fn a_store_fails_until_it_takes_something_and_its_words_stay() {
    let store = Watched::new("influx".to_owned());
    assert!(!store.is_failing() && store.written_at_ms().is_none());
    store.failed(1000, true, "connection refused");
    assert!(store.is_failing());
    store.took(2000);
    assert!(!store.is_failing());
    assert_eq!(store.written_at_ms(), Some(2000));
    let error = store.last_error().unwrap();
    assert_eq!(
        (error.at_ms, error.message.as_str()),
        (1000, "connection refused")
    );
}

#[test]
fn a_refusal_is_told_but_is_no_trouble() {
    let store = Watched::new("influx".to_owned());
    store.failed(1000, false, "out of order");
    assert!(!store.is_failing());
    assert!(!store.last_error().unwrap().is_retryable);
}

#[test]
fn long_words_are_cut_between_characters() {
    let store = Watched::new("influx".to_owned());
    store.failed(1000, true, &"ä".repeat(1000));
    assert_eq!(store.last_error().unwrap().message, "ä".repeat(250));
}
