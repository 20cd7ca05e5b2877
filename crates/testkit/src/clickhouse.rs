//! A real `ClickHouse` server of Debian's, and the engine of a new release behind the part of its HTTP interface that
//! inserts need.
//!
//! Debian's is of 2018: its HTTP interface, users and refusals are the real ones, and its types are few. The new
//! engine comes as a Python package, without a server; a small one of ours hands statements to it and exceptions back.

use std::{path::Path, time::Duration};

use crate::{
    Launch, Process, fetched, free_port,
    http::{request, target},
    run_dir,
};

const START_DEADLINE: Duration = Duration::from_secs(120);

/// The users: `default` and `writer` may do everything, `reader` may not write. The last two have passwords.
const USERS: &str = "<yandex><profiles><default/><ro><readonly>1</readonly></ro></profiles><users>\
    <default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default>\
    <writer><password>secret</password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></writer>\
    <reader><password>secret</password><networks><ip>::/0</ip></networks><profile>ro</profile><quota>default</quota></reader>\
    </users><quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors>\
    <result_rows>0</result_rows><read_rows>0</read_rows><execution_time>0</execution_time></interval></default></quotas></yandex>";

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct ClickHouse {
    port: u16,
    process: Process,
}

impl ClickHouse {
    /// Starts Debian's server, with its users `default`, `writer` and `reader`, whose password is `secret`.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start() -> Self {
        let (port, native, folder) = (free_port(), free_port(), run_dir("clickhouse"));
        let settings = format!(
            "<yandex><logger><level>information</level></logger><http_port>{port}</http_port><tcp_port>{native}</tcp_port>\
             <listen_host>127.0.0.1</listen_host><path>{0}/data/</path><tmp_path>{0}/tmp/</tmp_path>\
             <users_config>{0}/users.xml</users_config><default_profile>default</default_profile>\
             <default_database>default</default_database><mark_cache_size>100000000</mark_cache_size></yandex>",
            folder.display()
        );
        write(&folder.join("users.xml"), USERS);
        let file = folder.join("config.xml");
        write(&file, &settings);
        let root = fetched::fetched("clickhouse");
        let process = Launch::new("clickhouse", root.join("usr/sbin/clickhouse-server"))
            .env("LD_LIBRARY_PATH", crate::fetched::libraries(&root))
            .arg(format!("--config-file={}", file.display()))
            .log_to(folder.join("clickhouse.log"))
            .start();
        process.wait_until_ready(port, "/ping", START_DEADLINE);
        Self { port, process }
    }

    /// Starts the engine of a new release.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn new_release() -> Self {
        let (port, folder) = (free_port(), run_dir("chdb"));
        let script = crate::repository().join("crates/testkit/python/chdb_http.py");
        let python = fetched::fetched("chdb").join("venv/bin/python");
        let process = Launch::new("chdb", python)
            .arg(script)
            .arg(port.to_string())
            .arg(&folder)
            .log_to(folder.join("chdb.log"))
            .start();
        process.wait_until_ready(port, "/ping", START_DEADLINE);
        Self { port, process }
    }

    /// Its HTTP interface.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its process, to pause or kill it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// What a statement prints.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn query(&self, statement: &str) -> String {
        let path = target("/", &[("query", statement)]);
        let answer = request(self.port, "POST", &path, &[], b"")
            .unwrap_or_else(|error| panic!("ClickHouse: {statement}: {error}"));
        assert_eq!(answer.status, 200, "{statement}: {}", answer.text());
        answer.text()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
}
