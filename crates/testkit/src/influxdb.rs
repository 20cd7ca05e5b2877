//! A real `InfluxDB` 1: line protocol in, `InfluxQL` out.
//!
//! Debian's package, unpacked and not installed.

use std::time::Duration;

use serde_json::Value;

use crate::{
    Launch, Process, free_port,
    http::{Answer, request, target},
    run_dir,
};

const START_DEADLINE: Duration = Duration::from_secs(60);

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct InfluxDb {
    port: u16,
    process: Process,
}

impl InfluxDb {
    /// Starts one without a database.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start() -> Self {
        let (port, backup, folder) = (free_port(), free_port(), run_dir("influxdb"));
        let settings = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{backup}\"\n\
             [meta]\ndir = \"{0}/meta\"\n\
             [data]\ndir = \"{0}/data\"\nwal-dir = \"{0}/wal\"\n\
             [http]\nbind-address = \"127.0.0.1:{port}\"\n\
             [monitor]\nstore-enabled = false\n",
            folder.display()
        );
        let file = folder.join("influxdb.conf");
        std::fs::write(&file, settings).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let program = crate::fetched::fetched("influxdb").join("usr/bin/influxd");
        let process = Launch::new("influxdb", program)
            .arg("-config")
            .arg(&file)
            .log_to(folder.join("influxdb.log"))
            .start();
        process.wait_until_ready(port, "/query?q=SHOW+DATABASES", START_DEADLINE);
        Self { port, process }
    }

    /// Where it takes lines for a database.
    #[must_use]
    pub fn write_url(&self, database: &str) -> String {
        format!("http://127.0.0.1:{}/write?db={database}", self.port)
    }

    /// Its port of 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process, to pause or kill it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Makes a database.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub fn create_database(&self, database: &str) {
        let statement = format!("CREATE DATABASE {database}");
        let answer = self.ask("POST", &[("q", &statement)]);
        assert_eq!(answer.status, 200, "{statement}: {}", answer.text());
    }

    /// What a query finds, a row for each point: the measurement and its columns, times in Unix milliseconds.
    ///
    /// # Panics
    ///
    /// When it does not answer, or refuses the query.
    #[must_use]
    pub fn query(&self, database: &str, query: &str) -> Vec<Value> {
        let answer = self.ask("GET", &[("db", database), ("epoch", "ms"), ("q", query)]);
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let answer: Value = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|error| panic!("{query}: {error}: {}", answer.text()));
        let mut rows = Vec::new();
        for series in array(&answer["results"][0]["series"]) {
            for values in array(&series["values"]) {
                let columns = array(&series["columns"]).iter().zip(array(values));
                let mut row: serde_json::Map<String, Value> = columns
                    .filter(|(_, value)| !value.is_null())
                    .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), value.clone())))
                    .collect();
                row.insert("name".to_owned(), series["name"].clone());
                rows.push(Value::Object(row));
            }
        }
        rows
    }

    fn ask(&self, method: &str, query: &[(&str, &str)]) -> Answer {
        request(self.port, method, &target("/query", query), &[], b"")
            .unwrap_or_else(|error| panic!("InfluxDB: {query:?}: {error}"))
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
