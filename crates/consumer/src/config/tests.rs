//! Defaults are good, and a bad setting is named.

use super::*;

#[test]
fn the_defaults_are_those_of_the_architecture() {
    let config = Config::default();
    assert_eq!(config.check(), Ok(()));
    assert_eq!(config.group("archive"), "sluice-archive");
    assert_eq!(config.dead_letter_topic, "metrics-dead-letter");
}

#[test]
fn a_bad_setting_is_named() {
    type Change = fn(&mut Config);
    let cases: [(&str, Change); 6] = [
        ("group_prefix", |config| config.group_prefix.clear()),
        ("dead_letter_topic", |config| {
            config.dead_letter_topic.clear();
        }),
        ("instance_id", |config| {
            config.instance_id = Some(String::new());
        }),
        ("max_buffered", |config| config.max_buffered = Size(1000)),
        ("commit_interval", |config| {
            config.commit_interval = Period::secs(0);
        }),
        ("retry_max", |config| config.retry_max = Period::millis(1)),
    ];
    for (key, change) in cases {
        let mut config = Config::default();
        change(&mut config);
        assert_eq!(config.check().unwrap_err().0, key);
    }
}
