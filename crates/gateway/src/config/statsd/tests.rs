//! The defaults hold, and what cannot be names its key.

use service::units::{Period, Size};

use super::{Listen, StatsdConfig};

fn key_of(change: impl FnOnce(&mut StatsdConfig)) -> String {
    let mut config = StatsdConfig::default();
    change(&mut config);
    config.check().expect_err("should be refused").0
}

#[test]
fn the_defaults_are_consistent() {
    assert_eq!(StatsdConfig::default().check(), Ok(()));
}

#[test]
fn what_cannot_be_names_its_key() {
    assert_eq!(key_of(|it| it.sockets = 0), "sockets");
    assert_eq!(
        key_of(|it| it.flush_interval = Period::millis(1)),
        "flush_interval"
    );
    assert_eq!(
        key_of(|it| it.expire_after = Period::secs(1)),
        "expire_after"
    );
    assert_eq!(key_of(|it| it.tenant = Some("a b".to_owned())), "tenant");
    assert_eq!(key_of(|it| it.gateway = Some(String::new())), "gateway");
    assert_eq!(key_of(|it| it.buckets = vec![1.0, 1.0]), "buckets");
    assert_eq!(key_of(|it| it.buckets = vec![]), "buckets");
    assert_eq!(key_of(|it| it.quantiles = vec![1.5]), "quantiles");
    assert_eq!(key_of(|it| it.max_connections = 0), "max_connections");
    assert_eq!(key_of(|it| it.max_memory = Size(1)), "max_memory");
}

#[test]
fn where_to_listen_is_a_word_or_an_address() {
    for text in ["auto", "off", "127.0.0.1:9125", "[::1]:8125"] {
        assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
    }
    assert!(
        "8125"
            .parse::<Listen>()
            .unwrap_err()
            .contains("0.0.0.0:8125")
    );
    assert_eq!(Listen::Off.address(), None);
    assert_eq!(Listen::Auto.address().unwrap().port(), 8125);
}
