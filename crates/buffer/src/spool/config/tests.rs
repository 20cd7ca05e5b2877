//! What the settings may be.

use super::*;

fn refused(change: impl FnOnce(&mut Config)) -> String {
    let mut config = Config::default();
    change(&mut config);
    let checked = config.check(Period::secs(24 * 3600));
    checked.map_or_else(|(key, why)| format!("{key}: {why}"), |()| String::new())
}

#[test]
fn the_defaults_are_fine_and_leave_half_of_the_retention() {
    assert_eq!(refused(|_| {}), "");
    let day = Duration::from_hours(24);
    assert_eq!(Config::default().max_age(day), day / 2);
}

#[test]
fn what_cannot_be_is_refused_with_its_key() {
    for (found, expected) in [
        (
            refused(|config| config.max_size = Size::mib(1)),
            "max_size: 1MiB is too small, at least 16MiB is needed; to do without, set spool.enabled to false",
        ),
        (
            refused(|config| config.max_age = Some(Period::secs(20 * 3600))),
            "max_age: is 20h, but may be at most 18h, three quarters of buffer.retention (24h): records keep the time \
             of their arrival, by which Kafka forgets them",
        ),
        (
            refused(|config| config.max_age = Some(Period::millis(5))),
            "max_age: 5ms is too short, at least 1s is needed",
        ),
        (
            refused(|config| config.after = Period::millis(5)),
            "after: 5ms is too short, at least 50ms is needed",
        ),
        (
            refused(|config| config.backlog_share = 1.0),
            "backlog_share: is 1, but must be more than 0 and less than 1, such as 0.5",
        ),
        (
            refused(|config| config.backlog_share = f64::NAN),
            "backlog_share: is NaN, but must be more than 0 and less than 1, such as 0.5",
        ),
    ] {
        assert_eq!(found, expected);
    }
}
