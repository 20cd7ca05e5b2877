//! What a refused sample is in Kafka.

use bytes::Bytes;
use service::units::Size;

use super::Rejections;
use crate::kafka::tests::{DEAD_LETTERS, Mock, Stored, tenant, topic, unconfirmed};
use crate::{Original, Reject as _, Rejected};

fn rejected(original: Original) -> Rejected {
    Rejected {
        metric_name: Some(Bytes::from_static(b"cpu")),
        original,
        reason: "value_invalid",
        message: "value is x".to_owned(),
        tenant: tenant("acme"),
        source: Some("web-01".into()),
        protocol: "json",
        index: Some(7),
        at_ms: 1_700_000_000_000,
    }
}

async fn written(rejected: &Rejected) -> Stored {
    let mock = Mock::new(1);
    let rejections = Rejections::new(&mock.config, DEAD_LETTERS, Size::mib(1));
    assert!(unconfirmed(&rejections.reject(rejected).await));
    // The mock has no admin requests, so nothing can check the topic.
    rejections.producer.open(&topic(4), None).unwrap();
    rejections.reject(rejected).await.unwrap();
    mock.read_back(DEAD_LETTERS, 4, 1).remove(0)
}

#[tokio::test]
async fn a_refused_sample_has_its_bytes_and_tells_all_that_is_known() {
    let original = Original::Part {
        bytes: Bytes::from_static(b"{ 1 }"),
        content_type: "application/json",
    };
    let stored = written(&rejected(original)).await;
    assert_eq!(stored.key.as_deref(), Some("cpu"));
    assert_eq!(stored.value, "{ 1 }");
    assert_eq!(stored.at_ms, Some(1_700_000_000_000));
    assert_eq!(
        stored.headers,
        [
            "reason: value_invalid",
            "message: value is x",
            "protocol: json",
            "original: part",
            &format!("sluice-version: {}", env!("CARGO_PKG_VERSION")),
            "index: 7",
            "content-type: application/json",
            "tenant: acme",
            "source: web-01",
        ]
    );
}

#[tokio::test]
async fn without_its_bytes_the_value_is_empty_and_a_header_says_why() {
    let rejected = Rejected {
        metric_name: None,
        tenant: None,
        source: None,
        index: None,
        ..rejected(Original::Missing)
    };
    let stored = written(&rejected).await;
    assert_eq!((stored.key, stored.value), (None, String::new()));
    assert_eq!(
        stored.headers,
        [
            "reason: value_invalid",
            "message: value is x",
            "protocol: json",
            "original: missing",
            &format!("sluice-version: {}", env!("CARGO_PKG_VERSION")),
        ]
    );
}
