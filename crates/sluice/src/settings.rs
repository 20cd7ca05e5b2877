//! All settings of all commands: each section is defined by the crate that obeys it.

mod admin;
mod emergency;
mod source;
mod tool;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::tls::TlsConfig;
use service::units::Period;

pub use admin::Admin;

pub use emergency::Emergency;
pub use source::Source;

/// What a process is started as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything in one process.
    Standalone,
    /// HTTP in, buffer out.
    Gateway,
    /// Buffer in, stores out.
    Consumer,
}

impl Role {
    /// The name of the command and the metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Gateway => "gateway",
            Self::Consumer => "consumer",
        }
    }
}

/// Which buffer lies between the gateway and the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BufferKind {
    /// Apache Kafka, or what speaks its protocol.
    Kafka,
    /// The embedded log in `data_dir`; `standalone` only.
    Local,
}

/// The buffer between the gateway and the stores.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Buffer {
    /// Where samples are kept until the stores have them.
    pub kind: BufferKind,
    /// What a record holds. Consumers read both, whatever is set here.
    pub record_format: gateway::RecordFormat,
    /// How long records are kept. A topic that exists already is never changed, only warned about.
    pub retention: Period,
}

/// How a process stops on SIGTERM or Ctrl-C.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// How long to answer `/readyz` with 503 but still accept, until load balancers have noticed.
    pub delay: Period,
    /// How long running requests, the buffer and the stores each may take to finish after that.
    pub deadline: Period,
}

/// Settings that are read again while the process runs: on SIGHUP, and when their files change. A bad file is refused,
/// and the old settings stay in force.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// How often the settings file, and the certificates, keys and secrets that it names, are looked at. A change is
    /// taken once two looks found the same. `0s` leaves it to SIGHUP.
    pub interval: Period,
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            interval: Period::secs(5),
        }
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of the embedded log, the spool and the archive. One process at a time, held by a lock file.
    pub data_dir: PathBuf,
    /// The listener for senders.
    pub http: gateway::HttpConfig,
    /// The listener for operators.
    pub admin: Admin,
    /// What a sample may look like.
    pub limits: gateway::LimitsConfig,
    /// Who may send, and as which tenant.
    pub access: gateway::AccessConfig,
    /// Whose samples they are.
    pub tenancy: gateway::TenancyConfig,
    /// InfluxDB's line protocol.
    pub influx: gateway::InfluxConfig,
    /// OpenTelemetry's metrics.
    pub otlp: gateway::OtlpConfig,
    /// StatsD and DogStatsD.
    pub statsd: gateway::StatsdConfig,
    /// How requests that arrive together share records.
    pub coalesce: gateway::CoalesceConfig,
    /// What becomes known of samples that are refused.
    pub rejections: service::rejections::Config,
    /// Groups of metrics that batch jobs push.
    pub pushgateway: gateway::PushgatewayConfig,
    /// How much tenants, sources and metrics may send.
    pub quotas: gateway::QuotasConfig,
    /// How many series there are.
    pub cardinality: gateway::CardinalityConfig,
    /// Which partition a sample goes to.
    pub partitioning: gateway::PartitioningConfig,
    /// Requests that are sent again.
    pub idempotency: gateway::IdempotencyConfig,
    /// The buffer between the gateway and the stores.
    pub buffer: Buffer,
    /// Kafka, when `buffer.kind` is `kafka`.
    pub kafka: buffer::kafka::Config,
    /// Records that Kafka does not take now, kept on the gateway's disk until it does.
    pub spool: buffer::spool::Config,
    /// The embedded log, when `buffer.kind` is `local`.
    pub local: buffer::local::Config,
    /// Reading from the buffer.
    pub consumer: consumer::Config,
    /// The stores by name; each reads the buffer at its own pace. A file that names any replaces the default.
    pub stores: BTreeMap<String, store::Config>,
    /// The recent window of `standalone`.
    pub recent: store::recent::Config,
    /// Questions about the recent window and the archive of `standalone`.
    pub queries: query::Config,
    /// Levers for bad days.
    pub emergency: Emergency,
    /// Stopping.
    pub shutdown: Shutdown,
    /// Reading settings again.
    pub reload: Reload,
    /// Logs.
    pub log: service::telemetry::Log,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            kind: BufferKind::Kafka,
            record_format: gateway::RecordFormat::Protobuf,
            retention: Period::secs(24 * 3600),
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            delay: Period::secs(0),
            deadline: Period::secs(20),
        }
    }
}

impl Settings {
    /// What applies where neither file nor environment says anything.
    #[must_use]
    pub fn defaults(role: Role) -> Self {
        let mut settings = Self {
            data_dir: PathBuf::from("./data"),
            http: gateway::HttpConfig::default(),
            admin: Admin::default(),
            limits: gateway::LimitsConfig::default(),
            access: gateway::AccessConfig::default(),
            tenancy: gateway::TenancyConfig::default(),
            influx: gateway::InfluxConfig::default(),
            otlp: gateway::OtlpConfig::default(),
            statsd: gateway::StatsdConfig::default(),
            coalesce: gateway::CoalesceConfig::default(),
            rejections: service::rejections::Config::default(),
            pushgateway: gateway::PushgatewayConfig::default(),
            quotas: gateway::QuotasConfig::default(),
            cardinality: gateway::CardinalityConfig::default(),
            partitioning: gateway::PartitioningConfig::default(),
            idempotency: gateway::IdempotencyConfig::default(),
            buffer: Buffer::default(),
            kafka: buffer::kafka::Config::default(),
            spool: buffer::spool::Config::default(),
            local: buffer::local::Config::default(),
            consumer: consumer::Config::default(),
            stores: BTreeMap::new(),
            recent: store::recent::Config::default(),
            queries: query::Config::default(),
            emergency: Emergency::default(),
            shutdown: Shutdown::default(),
            reload: Reload::default(),
            log: service::telemetry::Log::default(),
        };
        if role == Role::Standalone {
            settings.buffer.kind = BufferKind::Local;
            settings
                .stores
                .insert("archive".to_owned(), store::Config::default());
        }
        settings
    }

    /// The settings of a process, from all layers.
    ///
    /// # Errors
    /// One line that names the key, for the first thing that is wrong.
    pub fn load(
        role: Role,
        file: Option<&std::path::Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let environment = environment.into_iter().collect();
        Source::new(role, file.map(std::path::Path::to_owned), environment).load()
    }

    /// The same from a file that has been read.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of(
        role: Role,
        file: Option<&service::settings::File>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        Ok(source::read(role, file, environment)?.0)
    }

    /// Relations between settings that no single one can check.
    fn check(&self, role: Role) -> Result<(), (String, String)> {
        let section =
            |name: &'static str| move |(key, why): (String, String)| (format!("{name}.{key}"), why);
        self.http.check().map_err(section("http"))?;
        self.limits.check().map_err(section("limits"))?;
        self.tenancy.check().map_err(section("tenancy"))?;
        if role != Role::Consumer {
            self.access.check().map_err(section("access"))?;
            Self::check_tls("http", self.http.tls.as_ref())?;
        }
        Self::check_tls("admin", self.admin.tls.as_ref())?;
        self.influx.check().map_err(section("influx"))?;
        self.otlp.check().map_err(section("otlp"))?;
        self.statsd.check().map_err(section("statsd"))?;
        self.coalesce.check().map_err(section("coalesce"))?;
        self.rejections.check().map_err(section("rejections"))?;
        self.pushgateway.check().map_err(section("pushgateway"))?;
        self.quotas.check().map_err(section("quotas"))?;
        self.cardinality.check().map_err(section("cardinality"))?;
        self.partitioning.check().map_err(section("partitioning"))?;
        self.idempotency.check().map_err(section("idempotency"))?;
        self.queries.check().map_err(section("queries"))?;
        self.log.check().map_err(section("log"))?;
        if role != Role::Gateway {
            self.consumer.check().map_err(section("consumer"))?;
            if self.consumer.shutdown_timeout > self.shutdown.deadline {
                let why = format!(
                    "is {}, but the process ends after shutdown.deadline ({}); raise that one too",
                    self.consumer.shutdown_timeout, self.shutdown.deadline
                );
                return Err(("consumer.shutdown_timeout".to_owned(), why));
            }
            for (name, store) in &self.stores {
                check_store_name(name)?;
                if role == Role::Standalone && name == WINDOW {
                    let why = "is how metrics and logs call the recent window; choose another name";
                    return Err((format!("stores.{name}"), why.to_owned()));
                }
                store
                    .check()
                    .map_err(|(key, why)| (format!("stores.{name}.{key}"), why))?;
            }
        }
        let kafka = (self.buffer.kind == BufferKind::Kafka).then_some(&self.kafka);
        self.emergency.check(kafka, self.http.request_timeout)?;
        if role != Role::Gateway {
            crate::stores::check(self)?;
        }
        match self.buffer.kind {
            BufferKind::Kafka => {
                self.kafka.check().map_err(section("kafka"))?;
                if role != Role::Consumer {
                    self.check_groups_topic()?;
                    self.check_tenant_topics()?;
                    self.check_rejections_topic()?;
                }
                if role != Role::Consumer
                    && self.kafka.delivery_timeout >= self.http.request_timeout
                {
                    let why = format!(
                        "is {}, but must be shorter than http.request_timeout ({}), or a request that was given up \
                         could still be waiting for its records",
                        self.kafka.delivery_timeout, self.http.request_timeout
                    );
                    return Err(("kafka.delivery_timeout".to_owned(), why));
                }
                if role != Role::Consumer && self.spool.enabled {
                    self.spool
                        .check(self.buffer.retention)
                        .map_err(section("spool"))?;
                }
            }
            BufferKind::Local if role != Role::Standalone => {
                let why = format!(
                    "local is for `sluice standalone`; `sluice {}` shares its buffer with other processes, which takes kafka",
                    role.as_str()
                );
                return Err(("buffer.kind".to_owned(), why));
            }
            BufferKind::Local if self.rejections.topic.is_some() => {
                let why = "needs Kafka (buffer.kind: kafka); GET /api/v1/rejections shows what was refused without it";
                return Err(("rejections.topic".to_owned(), why.to_owned()));
            }
            BufferKind::Local => self.local.check().map_err(section("local"))?,
        }
        if role == Role::Consumer && self.stores.is_empty() {
            let why = "a consumer needs a store to write to; name one, such as stores.main: {type: remote_write, url: …}";
            return Err(("stores".to_owned(), why.to_owned()));
        }
        if role != Role::Consumer
            && self.http.listen == self.admin.listen
            && self.http.listen.port() != 0
        {
            let why =
                "is the same address as http.listen; operators and senders have a listener each";
            return Err(("admin.listen".to_owned(), why.to_owned()));
        }
        if role != Role::Consumer {
            self.check_otlp_listeners()?;
        }
        Ok(())
    }

    /// Each listener has a port of its own; port 0 is any free one.
    fn check_otlp_listeners(&self) -> Result<(), (String, String)> {
        let mut taken = vec![
            ("http.listen".to_owned(), self.http.listen),
            ("admin.listen".to_owned(), self.admin.listen),
        ];
        for (key, address) in self.otlp.listeners() {
            let (key, Some(address)) = (format!("otlp.{key}"), address) else {
                continue;
            };
            if let Some((other, _)) = taken.iter().find(|(_, other)| overlap(*other, address)) {
                let why = format!(
                    "is {address}, which {other} listens on already; OTLP is served there too, so leave this out"
                );
                return Err((key, why));
            }
            taken.push((key, address));
        }
        Ok(())
    }
}

fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && (is_any || one.ip() == other.ip())
}

impl Settings {
    /// The files that settings name and that are read anew with them.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let tls = [&self.http.tls, &self.admin.tls].into_iter().flatten();
        let tls = tls.flat_map(TlsConfig::files);
        tls.chain(self.access.files()).collect()
    }

    fn check_tls(name: &str, tls: Option<&TlsConfig>) -> Result<(), (String, String)> {
        let checked = tls.map_or(Ok(()), TlsConfig::check);
        checked.map_err(|(key, why)| (format!("{name}.tls.{key}"), why))
    }

    /// The topic that holds the groups of batch jobs.
    #[must_use]
    pub fn groups_topic(&self) -> String {
        let topic = self.pushgateway.topic.clone();
        topic.unwrap_or_else(|| format!("{}-groups", self.kafka.topic))
    }

    /// A tenant's topic holds samples and nothing else.
    fn check_tenant_topics(&self) -> Result<(), (String, String)> {
        let others = [
            ("pushgateway.topic", self.groups_topic()),
            (
                "consumer.dead_letter_topic",
                self.consumer.dead_letter_topic.clone(),
            ),
        ];
        for (tenant, topic) in &self.kafka.tenant_topics {
            if let Some((key, _)) = others.iter().find(|(_, other)| other == topic) {
                let why = format!("is {topic}, and so is {key}");
                return Err((format!("kafka.tenant_topics.{tenant}"), why));
            }
        }
        Ok(())
    }

    /// What was refused must not be read as if it was not.
    fn check_rejections_topic(&self) -> Result<(), (String, String)> {
        let Some(topic) = &self.rejections.topic else {
            return Ok(());
        };
        let bad = |why| Err(("rejections.topic".to_owned(), why));
        if let Err(why) = buffer::kafka::check_topic_name(topic) {
            return bad(why);
        }
        let groups = self.groups_topic();
        let others = [
            ("kafka.topic", &self.kafka.topic),
            (
                "consumer.dead_letter_topic",
                &self.consumer.dead_letter_topic,
            ),
            ("pushgateway.topic", &groups),
        ];
        let tenants = self.kafka.tenant_topics.values();
        let tenants = tenants.map(|topic| ("a topic of kafka.tenant_topics", topic));
        let mut others = others.into_iter().chain(tenants);
        match others.find(|(_, other)| *other == topic) {
            Some((key, _)) => bad(format!(
                "is {topic}, and so is {key}; refused samples have a topic of their own"
            )),
            None => Ok(()),
        }
    }

    /// The groups have a compacted topic of their own.
    fn check_groups_topic(&self) -> Result<(), (String, String)> {
        let topic = self.groups_topic();
        let bad = |why| Err(("pushgateway.topic".to_owned(), why));
        if let Err(why) = buffer::kafka::check_topic_name(&topic) {
            return bad(why);
        }
        for (key, other) in [
            ("kafka.topic", &self.kafka.topic),
            (
                "consumer.dead_letter_topic",
                &self.consumer.dead_letter_topic,
            ),
        ] {
            if topic == *other {
                return bad(format!(
                    "is {topic}, and so is {key}; groups have a topic of their own"
                ));
            }
        }
        Ok(())
    }
}

/// The name of the recent window among the stores: in metrics, logs and consumer groups.
pub(crate) const WINDOW: &str = "recent";

/// A store's name is part of a consumer group's name, of metrics and of folders.
fn check_store_name(name: &str) -> Result<(), (String, String)> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        let why = "a store's name has 1 to 64 of the characters a-z, A-Z, 0-9, - and _".to_owned();
        return Err((format!("stores.{name}"), why));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
