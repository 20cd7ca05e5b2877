//! Real Apache Kafka brokers: one that the tests of a process share, or a cluster of a test's own.
//!
//! Tests on the shared broker keep apart by names: [`unique`] gives each topic and group its own.
//! A test that kills, pauses or cuts off a broker starts its own with [`Kafka::start`].

use std::{collections::BTreeSet, path::PathBuf, process::Stdio, sync::OnceLock};

use crate::{Proxy, process::Process};

mod java_tool;
mod node;
mod secured;
#[cfg(test)]
mod tests;
mod tokens;
mod tool;

use node::Node;
pub use secured::Secured;
pub use tokens::TokenServer;
pub use tool::{Record, partitions_of};

static SHARED: OnceLock<Kafka> = OnceLock::new();

/// What kind of cluster a test wants.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// How many brokers; each is a controller, too.
    pub nodes: usize,
    /// Puts a [`Proxy`] before each broker, and has the brokers advertise those.
    pub proxied: bool,
    /// Opens listeners that ask who is there; for one broker. See [`Kafka::secured`].
    pub secured: bool,
    /// Further lines of `server.properties`.
    pub properties: Vec<(String, String)>,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            nodes: 1,
            proxied: false,
            secured: false,
            properties: Vec::new(),
        }
    }
}

/// A running cluster; dropping it kills the brokers.
#[derive(Debug)]
pub struct Kafka {
    nodes: Vec<Node>,
}

impl Kafka {
    /// The one broker that all tests of this process share.
    ///
    /// # Panics
    ///
    /// When Kafka cannot be fetched or does not start.
    #[must_use]
    pub fn shared() -> &'static Self {
        SHARED.get_or_init(|| Self::start(&KafkaOptions::default()))
    }

    /// A cluster of the test's own.
    ///
    /// # Panics
    ///
    /// When Kafka cannot be fetched or does not start.
    #[must_use]
    pub fn start(options: &KafkaOptions) -> Self {
        let nodes = node::prepare(options);
        for node in &nodes {
            node.start();
        }
        for node in &nodes {
            node.wait_until_ready();
        }
        Self { nodes }
    }

    /// `bootstrap.servers` for a client.
    #[must_use]
    pub fn brokers(&self) -> String {
        let addresses: Vec<_> = self.nodes.iter().map(Node::advertised).collect();
        addresses.join(",")
    }

    /// Runs `act` on the process of a broker, counted from 0: to pause, resume or kill it.
    ///
    /// # Panics
    ///
    /// When there is no such broker, or it was stopped before.
    pub fn with_broker<T>(&self, index: usize, act: impl FnOnce(&Process) -> T) -> T {
        self.node(index).with_process(act)
    }

    /// Starts a killed broker again, on its old port and with its old data, and waits for it.
    ///
    /// # Panics
    ///
    /// When there is no such broker, or it does not start.
    pub fn restart_broker(&self, index: usize) {
        self.node(index).start();
        self.node(index).wait_until_ready();
    }

    /// The proxy before a broker, of a cluster that was started with [`KafkaOptions::proxied`].
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn proxy(&self, index: usize) -> &Proxy {
        self.node(index)
            .proxy()
            .unwrap_or_else(|| panic!("this cluster was started without proxies"))
    }

    /// The guarded listeners of a broker that was started with [`KafkaOptions::secured`].
    ///
    /// # Panics
    ///
    /// When it was not.
    #[must_use]
    pub fn secured(&self) -> &Secured {
        self.node(0)
            .secured()
            .unwrap_or_else(|| panic!("this cluster was started without guarded listeners"))
    }

    /// The folders of the brokers' logs.
    #[must_use]
    pub fn data_dirs(&self) -> Vec<PathBuf> {
        self.nodes.iter().map(Node::data_dir).collect()
    }

    /// Bytes of the log files of all partitions whose folder starts so: a topic's name and a hyphen, or nothing.
    #[must_use]
    pub fn log_bytes(&self, prefix: &str) -> u64 {
        let dirs = self.data_dirs();
        dirs.iter().map(|dir| node::log_bytes(dir, prefix)).sum()
    }

    /// Kafka's ids of the topics of this name of which a broker has a log that takes records. A topic that is made
    /// anew has another one, and deleting is answered before the brokers let go of the logs.
    #[must_use]
    pub fn topic_ids(&self, topic: &str) -> BTreeSet<String> {
        let dirs = self.data_dirs();
        dirs.iter()
            .flat_map(|dir| node::topic_ids(dir, topic))
            .collect()
    }

    fn node(&self, index: usize) -> &Node {
        self.nodes
            .get(index)
            .unwrap_or_else(|| panic!("there are {} brokers", self.nodes.len()))
    }
}

/// A name for a topic or group that no other test uses: `name`, the process id and a number.
#[must_use]
pub fn unique(name: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{number}", std::process::id())
}

/// `java` with Kafka's classes, ready for a main class.
fn java(logging: &str) -> Vec<String> {
    static CHECKED: OnceLock<()> = OnceLock::new();
    let folder = crate::fetched::fetched("kafka");
    CHECKED.get_or_init(|| {
        std::process::Command::new("java")
            .arg("-version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap_or_else(|error| {
                panic!(
                    "Kafka needs `java` (on Debian: apt-get install default-jdk-headless): {error}"
                )
            });
    });
    let logging = crate::repository()
        .join("crates/testkit/kafka")
        .join(logging);
    vec![
        "-Xshare:auto".to_owned(),
        format!("-Dlog4j2.configurationFile={}", logging.display()),
        "-cp".to_owned(),
        format!("{0}/tool:{0}/libs/*", folder.display()),
    ]
}
