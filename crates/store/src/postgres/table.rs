//! The tables, their view, and the statements on them.

use super::answer::Trouble;
use super::config::Config;
use super::connect::Session;

/// Of each session: what `COPY` writes to, because it cannot replace rows by itself.
pub(super) const SESSION: &str = "\
    SET client_min_messages = warning; \
    CREATE TEMP TABLE IF NOT EXISTS sluice_copied_series \
    (id uuid NOT NULL, metric text NOT NULL, labels jsonb NOT NULL, tenant text) ON COMMIT DELETE ROWS; \
    CREATE TEMP TABLE IF NOT EXISTS sluice_copied_samples \
    (series uuid NOT NULL, time timestamptz NOT NULL, value float8 NOT NULL, histogram bytea) ON COMMIT DELETE ROWS";

/// Held while tables and partitions are made or dropped, so that several consumers do not do it at once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7815701312)";

/// The names of the tables, quoted.
#[derive(Debug)]
pub(super) struct Table {
    schema: String,
    name: String,
    samples: String,
    series: String,
    view: String,
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Table {
    pub(super) fn new(config: &Config) -> Self {
        let (schema, name) = (&config.schema, &config.table);
        let named =
            |suffix: &str| format!("{}.{}", quoted(schema), quoted(&format!("{name}{suffix}")));
        Self {
            schema: schema.clone(),
            name: name.clone(),
            samples: named(""),
            series: named("_series"),
            view: named("_view"),
        }
    }

    /// Finds the tables or makes them. Answers whether we are to make partitions.
    pub(super) async fn prepare(
        &self,
        session: &Session,
        config: &Config,
    ) -> Result<bool, Trouble> {
        if config.create_table && self.kind(session).await?.is_none() {
            let timescale = session
                .column("SELECT extname FROM pg_extension WHERE extname = 'timescaledb'")
                .await?;
            let create = self.create(!timescale.is_empty(), config.retention.0.as_secs());
            session.batch_execute(&create).await?;
        }
        match self.kind(session).await? {
            None => Err(Trouble::Misconfigured(format!(
                "there is no table {}; create it or set the store's create_table",
                self.samples
            ))),
            Some(kind) => Ok(kind == "p" && config.create_table),
        }
    }

    /// `p` for a partitioned table, `r` for another.
    async fn kind(&self, session: &Session) -> Result<Option<String>, Trouble> {
        let query = format!(
            "SELECT relkind FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
             WHERE nspname = {} AND relname = {}",
            literal(&self.schema),
            literal(&self.name)
        );
        Ok(session.column(&query).await?.pop())
    }

    fn create(&self, is_timescale: bool, retention_s: u64) -> String {
        let Self {
            samples,
            series,
            view,
            ..
        } = self;
        let partitioned = if is_timescale {
            ""
        } else {
            " PARTITION BY RANGE (time)"
        };
        let mut hypertable = String::new();
        if is_timescale {
            let name = literal(samples);
            hypertable = format!(
                "SELECT create_hypertable({name}, 'time', chunk_time_interval => INTERVAL '1 day', if_not_exists => TRUE);"
            );
            if retention_s > 0 {
                hypertable = format!(
                    "{hypertable} SELECT add_retention_policy({name}, INTERVAL '{retention_s} seconds', if_not_exists => TRUE);"
                );
            }
        }
        format!(
            "BEGIN; {LOCK}; \
             CREATE TABLE IF NOT EXISTS {series} \
             (id uuid PRIMARY KEY, metric text NOT NULL, labels jsonb NOT NULL, tenant text); \
             CREATE INDEX IF NOT EXISTS {metric_index} ON {series} (metric); \
             CREATE INDEX IF NOT EXISTS {labels_index} ON {series} USING gin (labels jsonb_path_ops); \
             CREATE TABLE IF NOT EXISTS {samples} \
             (series uuid NOT NULL, time timestamptz NOT NULL, value float8 NOT NULL, histogram bytea, \
             PRIMARY KEY (series, time)){partitioned}; \
             {hypertable} \
             CREATE OR REPLACE VIEW {view} AS SELECT s.metric, s.labels, m.time, m.value, m.histogram, s.tenant \
             FROM {samples} m JOIN {series} s ON s.id = m.series; \
             COMMIT",
            metric_index = quoted(&format!("{}_series_metric", self.name)),
            labels_index = quoted(&format!("{}_series_labels", self.name)),
        )
    }

    /// A day's partition, by the days since Unix' epoch of its beginning and its end, as dates.
    pub(super) fn create_day(&self, day: &str, next: &str) -> String {
        let partition = self.day(day);
        format!(
            "BEGIN; {LOCK}; CREATE TABLE IF NOT EXISTS {partition} PARTITION OF {} \
             FOR VALUES FROM ('{day} 00:00:00+00') TO ('{next} 00:00:00+00'); COMMIT",
            self.samples
        )
    }

    fn day(&self, day: &str) -> String {
        let name = format!("{}_p{}", self.name, day.replace('-', ""));
        format!("{}.{}", quoted(&self.schema), quoted(&name))
    }

    /// Asks for the names of the partitions that are ours by their names, oldest first.
    pub(super) fn partitions(&self) -> String {
        format!(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
             WHERE i.inhparent = {}::regclass AND c.relname ~ '_p[0-9]{{8}}$' ORDER BY 1",
            literal(&self.samples)
        )
    }

    pub(super) fn drop_partition(&self, name: &str) -> String {
        format!(
            "BEGIN; {LOCK}; DROP TABLE IF EXISTS {}.{}; COMMIT",
            quoted(&self.schema),
            quoted(name)
        )
    }

    #[expect(clippy::unused_self, reason = "beside the others")]
    pub(super) fn begin(&self) -> String {
        // What an earlier write of this session left behind would end with it.
        "BEGIN".to_owned()
    }

    #[expect(clippy::unused_self, reason = "beside the others")]
    pub(super) fn copy_series(&self) -> String {
        "COPY sluice_copied_series FROM STDIN BINARY".to_owned()
    }

    #[expect(clippy::unused_self, reason = "beside the others")]
    pub(super) fn copy_samples(&self) -> String {
        "COPY sluice_copied_samples FROM STDIN BINARY".to_owned()
    }

    pub(super) fn insert_series(&self) -> String {
        format!(
            "INSERT INTO {} (id, metric, labels, tenant) \
             SELECT id, metric, labels, tenant FROM sluice_copied_series ORDER BY id ON CONFLICT DO NOTHING",
            self.series
        )
    }

    pub(super) fn insert_samples(&self) -> String {
        format!(
            "INSERT INTO {} AS m (series, time, value, histogram) \
             SELECT series, time, value, histogram FROM sluice_copied_samples \
             ON CONFLICT (series, time) DO UPDATE SET value = EXCLUDED.value, histogram = EXCLUDED.histogram",
            self.samples
        )
    }
}
