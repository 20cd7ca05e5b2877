//! Sluice and the alternatives: how each is started, asked and read.
//!
//! Versions, configuration and why it is fair: `loadtest/peers/README.md`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use testkit::{Launch, Process, free_port};

use super::records::Format;
use crate::outcome::Kind;
use crate::protocol::{Compression, Protocol};

const START: Duration = Duration::from_secs(60);

/// Who gets the bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Subject {
    Gateway,
    Flask,
    Telegraf,
    #[value(name = "telegraf-json-v2")]
    TelegrafJsonV2,
    OtelCollector,
    PrometheusKafkaAdapter,
}

/// Where programs and configurations are.
#[derive(Debug)]
pub(crate) struct Places {
    /// Sluice's binary.
    pub sluice: PathBuf,
    /// What `scripts/peers` built.
    pub built: PathBuf,
    /// `loadtest/peers`.
    pub configured: PathBuf,
}

/// A gateway that takes requests.
pub(crate) struct Running {
    pub process: Process,
    /// `host:port`.
    pub target: String,
}

impl Subject {
    /// Everybody, Sluice first.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name, as on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Gateway => Kind::Sluice,
            Self::Flask
            | Self::Telegraf
            | Self::TelegrafJsonV2
            | Self::OtelCollector
            | Self::PrometheusKafkaAdapter => Kind::Peer,
        }
    }

    /// What its records hold.
    pub(crate) const fn format(self) -> Format {
        match self {
            Self::Gateway => Format::RemoteWrite2,
            Self::Flask => Format::Json,
            Self::Telegraf | Self::TelegrafJsonV2 => Format::Influx,
            Self::OtelCollector => Format::Otlp,
            Self::PrometheusKafkaAdapter => Format::JsonText,
        }
    }

    /// The path that it takes these bodies at; `None` if it does not take them.
    pub(crate) const fn path(
        self,
        protocol: Protocol,
        compression: Compression,
    ) -> Option<&'static str> {
        match (self, protocol, compression) {
            (Self::Gateway, _, _)
            | (Self::Flask, Protocol::Json, Compression::Identity)
            | (
                Self::Telegraf,
                Protocol::Json | Protocol::Influx,
                Compression::Identity | Compression::Gzip,
            )
            | (Self::TelegrafJsonV2, Protocol::Json, Compression::Identity | Compression::Gzip)
            | (Self::Telegraf, Protocol::RemoteWrite1, Compression::Snappy)
            | (
                Self::OtelCollector,
                Protocol::Otlp,
                Compression::Identity | Compression::Gzip | Compression::Zstd,
            ) => Some(protocol.path()),
            (Self::PrometheusKafkaAdapter, Protocol::RemoteWrite1, Compression::Snappy) => {
                Some("/receive")
            }
            _ => None,
        }
    }

    /// The program to start, if it is there.
    pub(crate) fn program(self, places: &Places) -> Option<PathBuf> {
        let program = match self {
            Self::Gateway => places.sluice.clone(),
            Self::Flask => places.built.join("flask/venv/bin/python"),
            Self::Telegraf | Self::TelegrafJsonV2 => places.built.join("telegraf/bin/telegraf"),
            Self::OtelCollector => places.built.join("otel-collector/bin/otel-collector"),
            Self::PrometheusKafkaAdapter => places
                .built
                .join("prometheus-kafka-adapter/bin/prometheus-kafka-adapter"),
        };
        // Not made canonical: Python finds its packages by the name that it was called by.
        std::path::absolute(program)
            .ok()
            .filter(|path| path.exists())
    }

    /// What must be done for the program to be there.
    pub(crate) fn how_to_build(self) -> String {
        match self {
            Self::Gateway => "build Sluice, or name it with --binary".to_owned(),
            Self::Telegraf | Self::TelegrafJsonV2 => "scripts/peers telegraf".to_owned(),
            Self::Flask | Self::OtelCollector | Self::PrometheusKafkaAdapter => {
                format!("scripts/peers {}", self.name())
            }
        }
    }

    /// Starts it in front of a topic that exists.
    pub(crate) fn start(
        self,
        program: &Path,
        places: &Places,
        protocol: Protocol,
        (brokers, topic): (&str, &str),
    ) -> Running {
        let (port, admin) = (free_port(), free_port());
        let target = format!("127.0.0.1:{port}");
        let configured = |name: &str| {
            let file = places.configured.join(name);
            std::path::absolute(&file).unwrap_or(file)
        };
        let launch = Launch::new(&self.name(), program)
            .env("PORT", port.to_string())
            .env("KAFKA_BROKERS", brokers)
            .env("KAFKA_TOPIC", topic);
        let launch = match self {
            Self::Gateway => launch
                .arg("gateway")
                .env("SLUICE_HTTP__LISTEN", &target)
                .env("SLUICE_ADMIN__LISTEN", format!("127.0.0.1:{admin}"))
                .env("SLUICE_KAFKA__BROKERS", brokers)
                .env("SLUICE_KAFKA__TOPIC", topic)
                .env("SLUICE_KAFKA__REPLICATION", "1")
                // What the others do not have: an answer is to say that Kafka has it.
                .env("SLUICE_SPOOL__ENABLED", "false"),
            Self::Flask => launch.arg(configured("flask/gateway.py")),
            Self::Telegraf | Self::TelegrafJsonV2 => launch
                .arg("--config")
                .arg(configured("telegraf/kafka.conf"))
                .arg("--config")
                .arg(configured(self.telegraf_input(protocol))),
            Self::OtelCollector => launch
                .arg("--config")
                .arg(configured("otel-collector/config.yaml")),
            Self::PrometheusKafkaAdapter => launch
                .env("KAFKA_BROKER_LIST", brokers)
                .env("KAFKA_ACKS", "all")
                .env("KAFKA_COMPRESSION", "lz4")
                .env("SERIALIZATION_FORMAT", "json")
                .env("GIN_MODE", "release")
                // It writes a line per request otherwise.
                .env("LOG_LEVEL", "warn"),
        };
        let process = launch.start();
        match self {
            Self::Gateway => process.wait_until_ready(admin, "/readyz", START),
            _ => process.wait_for_port(port, START),
        }
        Running { process, target }
    }

    fn telegraf_input(self, protocol: Protocol) -> &'static str {
        match (self, protocol) {
            (Self::TelegrafJsonV2, _) => "telegraf/json_v2.conf",
            (_, Protocol::RemoteWrite1) => "telegraf/remote_write.conf",
            (_, Protocol::Influx) => "telegraf/influx.conf",
            _ => "telegraf/json.conf",
        }
    }
}
