//! One broker: its settings, its data folder, its process.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{KafkaOptions, java, secured::Secured};
use crate::{
    Proxy, free_port,
    process::{Launch, Process},
    run_dir,
};

/// A start takes two or three seconds; a machine whose every core is busy with compilers takes many more.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// Any 16 bytes in base64; each cluster has its own ports and folders.
const CLUSTER_ID: &str = "c2x1aWNlLXRlc3RraXQtMQ";

const STARTED: &str = "Kafka Server started";

#[derive(Debug)]
pub(super) struct Node {
    folder: PathBuf,
    advertised_port: u16,
    proxy: Option<Proxy>,
    secured: Option<Secured>,
    process: Mutex<Option<Process>>,
}

/// Chooses the ports, writes the settings and formats the data folders of all brokers.
pub(super) fn prepare(options: &KafkaOptions) -> Vec<Node> {
    let controllers: Vec<u16> = (0..options.nodes).map(|_| free_port()).collect();
    let voters: Vec<_> = controllers
        .iter()
        .zip(1..)
        .map(|(port, id)| format!("{id}@127.0.0.1:{port}"))
        .collect();
    let voters = voters.join(",");
    controllers
        .iter()
        .zip(1..)
        .map(|(controller, id)| Node::prepare(options, id, *controller, &voters))
        .collect()
}

impl Node {
    fn prepare(options: &KafkaOptions, id: u32, controller: u16, voters: &str) -> Self {
        let folder = run_dir(&format!("kafka-{id}"));
        let port = free_port();
        let proxy = options
            .proxied
            .then(|| Proxy::start(([127, 0, 0, 1], port)));
        let advertised_port = proxy.as_ref().map_or(port, Proxy::port);
        let copies = options.nodes.min(3);
        let secured = options.secured.then(|| Secured::prepare(&folder));
        let [mut listeners, mut advertised, mut protocols] = [const { String::new() }; 3];
        for (name, port, protocol) in secured.iter().flat_map(Secured::listeners) {
            let listener = format!(",{name}://127.0.0.1:{port}");
            listeners.push_str(&listener);
            advertised.push_str(&listener);
            write!(protocols, ",{name}:{protocol}").unwrap_or_default();
        }
        let mut properties = format!(
            "process.roles=broker,controller\n\
             node.id={id}\n\
             controller.quorum.voters={voters}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listeners}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{advertised_port}{advertised}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             offsets.topic.num.partitions=4\n\
             offsets.topic.replication.factor={copies}\n\
             transaction.state.log.num.partitions=4\n\
             transaction.state.log.replication.factor={copies}\n\
             transaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n",
            folder.join("data").display()
        );
        properties.extend(secured.iter().map(Secured::properties));
        for (key, value) in &options.properties {
            writeln!(properties, "{key}={value}").unwrap_or_default();
        }
        let settings = folder.join("server.properties");
        std::fs::write(&settings, properties)
            .unwrap_or_else(|error| panic!("{settings:?}: {error}"));
        let output = Command::new("java")
            .args(java("log4j2-tool.properties"))
            .args([
                "-XX:TieredStopAtLevel=1",
                "kafka.tools.StorageTool",
                "format",
            ])
            .args(["-t", CLUSTER_ID, "-c"])
            .arg(&settings)
            .args(
                secured
                    .iter()
                    .flat_map(|secured| ["--add-scram".to_owned(), secured.format_option()]),
            )
            .output()
            .unwrap_or_else(|error| panic!("java: {error}"));
        assert!(
            output.status.success(),
            "cannot format {folder:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Self {
            folder,
            advertised_port,
            proxy,
            secured,
            process: Mutex::new(None),
        }
    }

    pub(super) fn advertised(&self) -> String {
        format!("127.0.0.1:{}", self.advertised_port)
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    pub(super) fn secured(&self) -> Option<&Secured> {
        self.secured.as_ref()
    }

    pub(super) fn start(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        // The old one goes first: it holds the port and the data.
        drop(process.take());
        let log = self.folder.join("kafka.log");
        if log.exists() {
            std::fs::rename(&log, self.folder.join("kafka.before.log"))
                .unwrap_or_else(|error| panic!("{log:?}: {error}"));
        }
        *process = Some(
            Launch::new("kafka", "java")
                .arg("-Xmx512m")
                .args(self.secured.iter().map(Secured::java_option))
                .args(java("log4j2.properties"))
                .arg("kafka.Kafka")
                .arg(self.folder.join("server.properties"))
                .current_dir(&self.folder)
                .log_to(log)
                .start(),
        );
    }

    pub(super) fn wait_until_ready(&self) {
        self.with_process(|process| process.wait_for_line(STARTED, START_DEADLINE));
    }

    pub(super) fn with_process<T>(&self, act: impl FnOnce(&Process) -> T) -> T {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        act(process
            .as_ref()
            .unwrap_or_else(|| panic!("this broker was never started")))
    }
}

/// Bytes of the log files in the folders of a data directory that start with `prefix`.
pub(super) fn log_bytes(data_dir: &Path, prefix: &str) -> u64 {
    // What goes away meanwhile has no bytes.
    let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries(data_dir)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .flat_map(|folder| entries(&folder.path()))
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|ending| ending == "log")
        })
        .filter_map(|file| file.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}

/// The ids of topics of this name of which the folder has a log that is not being deleted.
pub(super) fn topic_ids(data_dir: &Path, topic: &str) -> Vec<String> {
    let is_partition = |name: &str| {
        let number = name
            .strip_prefix(topic)
            .and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let entries = std::fs::read_dir(data_dir).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| is_partition(&entry.file_name().to_string_lossy()));
    // What goes away meanwhile is not there.
    let files = folders.filter_map(|folder| {
        std::fs::read_to_string(folder.path().join("partition.metadata")).ok()
    });
    let id = |file: String| {
        let line = file.lines().find_map(|line| line.strip_prefix("topic_id:"));
        line.map(|id| id.trim().to_owned())
    };
    files.filter_map(id).collect()
}
