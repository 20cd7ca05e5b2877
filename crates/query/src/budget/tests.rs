//! Limits end a question, and say which.

use super::*;
use service::units::{Period, Size};

#[test]
fn memory_and_series_end_and_the_setting_is_named() {
    let config = Config {
        max_memory: Size(100),
        max_series: 1,
        ..Config::default()
    };
    let mut budget = Budget::new(&config, Instant::now(), Arc::default());
    budget.take(90).unwrap();
    let error = budget.take(11).unwrap_err().to_string();
    assert!(
        error.contains("100 bytes of memory (queries.max_memory)"),
        "{error}"
    );
    budget.give_back(50);
    budget.take(11).unwrap();
    budget.series().unwrap();
    let error = budget.series().unwrap_err().to_string();
    assert!(
        error.contains("more than 1 series (queries.max_series)"),
        "{error}"
    );
}

#[test]
fn time_ends_and_so_does_the_patience_of_who_asked() {
    let config = Config {
        timeout: Period::secs(0),
        ..Config::default()
    };
    let given_up: Arc<AtomicBool> = Arc::default();
    let mut budget = Budget::new(&config, Instant::now(), Arc::clone(&given_up));
    assert_eq!(budget.look(), Err(Error::Timeout(0)));
    given_up.store(true, Ordering::Relaxed);
    assert_eq!(budget.look(), Err(Error::Cancelled));
}
