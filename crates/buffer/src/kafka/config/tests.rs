//! What the check of the settings finds before anything is started.

use service::units::Size;

use super::Config;

fn with_property(key: &str, value: &str) -> Config {
    let mut config = Config::default();
    config.properties.set(key, value);
    config
}

fn check(config: &Config) -> (String, String) {
    config.check().unwrap_err()
}

#[test]
fn the_defaults_are_sound() {
    assert_eq!(Config::default().check(), Ok(()));
}

#[test]
fn an_unknown_option_is_named() {
    let (key, why) = check(&with_property("sasl.pasword", "x"));
    assert_eq!(key, "properties.sasl.pasword");
    assert_eq!(why, r#"No such configuration property: "sasl.pasword""#);
}

#[test]
fn a_bad_value_is_named() {
    let (key, why) = check(&with_property("security.protocol", "tsl"));
    assert_eq!(key, "properties.security.protocol");
    assert_eq!(
        why,
        r#"Invalid value "tsl" for configuration property "security.protocol""#
    );
}

#[cfg(not(feature = "kafka-security"))]
#[test]
fn a_binary_without_tls_says_how_to_get_one_that_has_it() {
    for (key, value) in [
        ("security.protocol", "ssl"),
        ("ssl.ca.location", "/"),
        ("sasl.oauthbearer.method", "oidc"),
    ] {
        let (found, why) = check(&with_property(key, value));
        assert_eq!(found, format!("properties.{key}"));
        assert!(why.contains("`--features kafka-security`"), "{why}");
    }
    let mut config = with_property("security.protocol", "sasl_plaintext");
    config.properties.set("sasl.mechanism", "SCRAM-SHA-512");
    let (_, why) = check(&config);
    assert!(why.contains("`--features kafka-security`"), "{why}");
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    let (found, why) = check(&with_property("ssl.ca.location", "/no/such/ca.pem"));
    assert_eq!(found, "properties.ssl.ca.location");
    assert_eq!(
        why,
        "/no/such/ca.pem: No such file or directory (os error 2)"
    );
}

#[test]
fn options_that_contradict_each_other_are_found_without_a_broker() {
    // The idempotent producer allows five at most.
    let (key, why) = check(&with_property("max.in.flight", "50"));
    assert_eq!(key, "properties.max.in.flight");
    assert!(why.contains("max.in.flight"), "{why}");
}

#[test]
fn options_of_both_kinds_of_clients_may_stand_side_by_side() {
    let mut config = with_property("fetch.wait.max.ms", "100");
    config.properties.set("linger.ms", "0");
    config.properties.set("security.protocol", "plaintext");
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn what_the_promises_stand_on_cannot_be_switched_off() {
    for (key, value) in [
        ("acks", "1"),
        ("enable.idempotence", "false"),
        ("auto.offset.reset", "latest"),
        ("enable.auto.commit", "true"),
    ] {
        let (found, why) = check(&with_property(key, value));
        assert_eq!(found, format!("properties.{key}"));
        assert_eq!(
            why,
            "Sluice's promises depend on it, so it cannot be changed"
        );
    }
}

#[test]
fn an_option_that_is_a_setting_is_pointed_to() {
    let (key, why) = check(&with_property("bootstrap.servers", "a:1"));
    assert_eq!(key, "properties.bootstrap.servers");
    assert_eq!(why, "set `kafka.brokers`");
}

#[test]
fn a_bad_topic_name_is_named() {
    let config = Config {
        topic: "my metrics".to_owned(),
        ..Config::default()
    };
    assert_eq!(
        check(&config),
        (
            "topic".to_owned(),
            r#""my metrics" is not a topic name: it has ' ', allowed are letters, digits, '.', '_' and '-'"#
                .to_owned()
        )
    );
}

#[test]
fn a_queue_of_nothing_is_refused() {
    let config = Config {
        max_queue: Size(10),
        ..Config::default()
    };
    assert_eq!(check(&config).0, "max_queue");
}

#[test]
fn the_users_options_win_over_our_defaults_but_not_over_our_promises() {
    let config = with_property("linger.ms", "7");
    let producer = config.producer(500_000, 400_000);
    assert_eq!(producer.get("linger.ms"), Some("7"));
    assert_eq!(producer.get("acks"), Some("all"));
    assert_eq!(producer.get("batch.size"), Some("400000"));
    assert_eq!(producer.get("message.max.bytes"), Some("500000"));
}

#[test]
fn an_option_by_its_other_name_replaces_our_default_all_the_same() {
    let config = with_property("queue.buffering.max.ms", "7");
    let producer = config.producer(500_000, 400_000);
    assert_eq!(producer.get("linger.ms"), Some("7"));
    assert_eq!(producer.get("queue.buffering.max.ms"), None);
}

#[test]
fn records_of_a_tenant_go_to_its_own_topic_if_it_has_one() {
    let config = Config {
        tenant_topics: [("a".to_owned(), "metrics-a".to_owned())].into(),
        ..Config::default()
    };
    assert_eq!(config.check(), Ok(()));
    let topics = [Some("a"), Some("b"), None].map(|tenant| config.topic_of(tenant));
    assert_eq!(topics, ["metrics-a", "metrics", "metrics"]);
    let shared = Config {
        tenant_topics: [("a".to_owned(), "metrics".to_owned())].into(),
        ..Config::default()
    };
    assert_eq!(check(&shared).0, "tenant_topics.a");
}
