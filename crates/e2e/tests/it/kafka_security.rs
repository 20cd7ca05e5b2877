//! Kafka that asks who is there: gateway and consumer by certificate, password and token, all over TLS.

use std::path::Path;

use anyhow::ensure;
use serde_json::json;
use testkit::kafka::{Kafka, KafkaOptions, Secured, TokenServer, unique};
use testkit::{VictoriaMetrics, eventually_blocking};

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice};

/// One way in: where, and librdkafka's options as environment variables.
struct Way {
    name: &'static str,
    brokers: String,
    options: Vec<(&'static str, String)>,
}

const PROTOCOL: &str = "SLUICE_KAFKA__PROPERTIES__SECURITY_PROTOCOL";
const AUTHORITY: &str = "SLUICE_KAFKA__PROPERTIES__SSL_CA_LOCATION";
const MECHANISM: &str = "SLUICE_KAFKA__PROPERTIES__SASL_MECHANISM";
const USER: &str = "SLUICE_KAFKA__PROPERTIES__SASL_USERNAME";
const PASSWORD: &str = "SLUICE_KAFKA__PROPERTIES__SASL_PASSWORD";

fn path(path: &Path) -> String {
    path.display().to_string()
}

fn by_certificate(kafka: &Secured) -> Way {
    Way {
        name: "certificate",
        brokers: kafka.certificate_brokers(),
        options: vec![
            (PROTOCOL, "ssl".to_owned()),
            (AUTHORITY, path(&kafka.authority())),
            (
                "SLUICE_KAFKA__PROPERTIES__SSL_CERTIFICATE_LOCATION",
                path(&kafka.client_certificate()),
            ),
            (
                "SLUICE_KAFKA__PROPERTIES__SSL_KEY_LOCATION",
                path(&kafka.client_key()),
            ),
        ],
    }
}

fn by_password(kafka: &Secured, mechanism: &'static str, password: &str) -> Way {
    Way {
        name: mechanism,
        brokers: kafka.sasl_brokers(),
        options: vec![
            (PROTOCOL, "sasl_ssl".to_owned()),
            (AUTHORITY, path(&kafka.authority())),
            (MECHANISM, mechanism.to_owned()),
            (USER, kafka.user().to_owned()),
            (PASSWORD, password.to_owned()),
        ],
    }
}

fn by_token(kafka: &Secured) -> Way {
    let oauth = |option: &'static str, value: &str| (option, value.to_owned());
    Way {
        name: "OAUTHBEARER",
        brokers: kafka.sasl_brokers(),
        options: vec![
            (PROTOCOL, "sasl_ssl".to_owned()),
            (AUTHORITY, path(&kafka.authority())),
            (MECHANISM, "OAUTHBEARER".to_owned()),
            oauth("SLUICE_KAFKA__PROPERTIES__SASL_OAUTHBEARER_METHOD", "oidc"),
            oauth(
                "SLUICE_KAFKA__PROPERTIES__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL",
                &kafka.tokens().url(),
            ),
            oauth(
                "SLUICE_KAFKA__PROPERTIES__SASL_OAUTHBEARER_CLIENT_ID",
                TokenServer::CLIENT,
            ),
            oauth(
                "SLUICE_KAFKA__PROPERTIES__SASL_OAUTHBEARER_CLIENT_SECRET",
                TokenServer::SECRET,
            ),
        ],
    }
}

impl Way {
    /// The settings of a process that goes this way, to topics of its own.
    fn settings<'a>(&'a self, topic: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut settings = vec![
            ("SLUICE_KAFKA__BROKERS", self.brokers.as_str()),
            ("SLUICE_KAFKA__TOPIC", topic),
            ("SLUICE_KAFKA__PARTITIONS", "2"),
            ("SLUICE_KAFKA__REPLICATION", "1"),
            ("SLUICE_CONSUMER__GROUP_PREFIX", topic),
        ];
        settings.extend(
            self.options
                .iter()
                .map(|(key, value)| (*key, value.as_str())),
        );
        settings
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_go_through_a_kafka_that_asks_for_certificates_passwords_or_tokens()
-> anyhow::Result<()> {
    let kafka = Kafka::start(&KafkaOptions {
        secured: true,
        ..KafkaOptions::default()
    });
    let secured = kafka.secured();
    let store = VictoriaMetrics::start();
    let store_url = store.write_url();
    for way in [
        by_certificate(secured),
        by_password(secured, "PLAIN", secured.password()),
        by_password(secured, "SCRAM-SHA-512", secured.password()),
        by_token(secured),
    ] {
        let topic = unique("secured");
        let mut settings = way.settings(&topic);
        let gateway = Sluice::start("gateway", &settings);
        settings.extend([
            ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
            ("SLUICE_STORES__MAIN__URL", store_url.as_str()),
        ]);
        let consumer = Sluice::start("consumer", &settings);
        let body = json!({"metrics": [{
            "metric_name": "secured", "timestamp": now_ms(), "value": 1, "labels": {"way": way.name},
        }]});
        push(&gateway.url("/metrics"), &body).await?;
        // As the Java client sees it, by the listener that asks for nothing.
        ensure!(kafka.read(&topic).len() == 1, "{}", way.name);
        eventually_blocking(PATIENCE, || {
            let written = consumer
                .metric("sluice_consumer_samples_written_total", "main")
                .unwrap_or_default();
            if written >= 1.0 {
                Ok(())
            } else {
                Err(format!("{}: {written} written", way.name))
            }
        });
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_for_kafka_is_a_reason_not_to_be_ready() -> anyhow::Result<()> {
    let kafka = Kafka::start(&KafkaOptions {
        secured: true,
        ..KafkaOptions::default()
    });
    let way = by_password(kafka.secured(), "SCRAM-SHA-512", "not-the-password");
    let topic = unique("secured");
    let mut settings = way.settings(&topic);
    settings.extend([
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        (
            "SLUICE_STORES__MAIN__URL",
            "http://127.0.0.1:9/never-reached",
        ),
    ]);
    let consumer = Sluice::start_unready("consumer", &settings);
    let text = eventually_blocking(PATIENCE, || {
        let (_, text) = consumer.readiness().unwrap_or_default();
        if text.to_ascii_lowercase().contains("authentication") {
            Ok(text)
        } else {
            Err(text)
        }
    });
    ensure!(!text.contains("not-the-password"), "{text}");
    Ok(())
}
