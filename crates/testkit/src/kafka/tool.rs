//! Topics and records as the Java client sees them, which shares no code with ours.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Kafka, java_tool::run};

/// A record as it is in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition that it is in.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Kafka's timestamp, Unix milliseconds.
    pub timestamp_ms: i64,
    /// The key's bytes, if it has a key.
    pub key: Option<Vec<u8>>,
    /// The value's bytes, if it has a value.
    pub value: Option<Vec<u8>>,
    /// Names and values of the headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// The partitions, of `partitions`, that the Java producer's own partitioner gives these keys.
///
/// # Panics
///
/// When Java or Kafka's classes are missing.
#[must_use]
pub fn partitions_of<K: AsRef<[u8]>>(
    keys: impl IntoIterator<Item = K>,
    partitions: u32,
) -> Vec<i32> {
    let mut input = String::new();
    for key in keys {
        writeln!(input, "{}", STANDARD.encode(key)).unwrap_or_default();
    }
    run(&["partitions", &partitions.to_string()], &input)
        .lines()
        .map(number)
        .collect()
}

impl Kafka {
    /// Creates a topic; `settings` are its own, such as `("retention.ms", "1000")`.
    ///
    /// # Panics
    ///
    /// When the cluster refuses.
    pub fn create_topic(
        &self,
        topic: &str,
        partitions: u32,
        replication: u16,
        settings: &[(&str, &str)],
    ) {
        let (brokers, partitions) = (self.brokers(), partitions.to_string());
        let replication = replication.to_string();
        let settings: Vec<_> = settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut args = vec!["create", &brokers, topic, &partitions, &replication];
        args.extend(settings.iter().map(String::as_str));
        run(&args, "");
    }

    /// A setting of a topic as it applies; also `partitions` and `replicas`, its numbers of both.
    ///
    /// # Panics
    ///
    /// When there is no such topic or setting.
    #[must_use]
    pub fn topic_setting(&self, topic: &str, name: &str) -> String {
        let table = run(&["configs", &self.brokers(), topic], "");
        table
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'))
            .unwrap_or_else(|| panic!("{topic} has no setting {name}:\n{table}"))
            .to_owned()
    }

    /// Changes a setting of a topic.
    ///
    /// # Panics
    ///
    /// When the cluster refuses.
    pub fn set_topic_setting(&self, topic: &str, name: &str, value: &str) {
        run(&["set", &self.brokers(), topic, name, value], "");
    }

    /// Every record that the topic holds now, in order within a partition.
    ///
    /// # Panics
    ///
    /// When the topic is not there.
    #[must_use]
    pub fn read(&self, topic: &str) -> Vec<Record> {
        run(&["read", &self.brokers(), topic], "")
            .lines()
            .map(record)
            .collect()
    }

    /// Writes records as another program would (offset, partition and time are Kafka's choice), and
    /// returns where they went.
    ///
    /// # Panics
    ///
    /// When Kafka refuses one.
    pub fn produce(&self, topic: &str, records: &[Record]) -> Vec<(i32, i64)> {
        let mut input = String::new();
        for record in records {
            input.push_str(&column(record.key.as_deref()));
            input.push('\t');
            input.push_str(&column(record.value.as_deref()));
            for (name, value) in &record.headers {
                write!(input, "\t{name}={}", STANDARD.encode(value)).unwrap_or_default();
            }
            input.push('\n');
        }
        run(&["produce", &self.brokers(), topic], &input)
            .lines()
            .map(|line| {
                let (partition, offset) = line.split_once('\t').unwrap_or_default();
                (number(partition), number(offset))
            })
            .collect()
    }

    /// Deletes the records below `offset`, as retention does with old ones.
    ///
    /// # Panics
    ///
    /// When Kafka refuses.
    pub fn delete_below(&self, topic: &str, partition: i32, offset: i64) {
        let (partition, offset) = (partition.to_string(), offset.to_string());
        let brokers = self.brokers();
        run(&["delete-below", &brokers, topic, &partition, &offset], "");
    }

    /// Deletes a topic.
    ///
    /// # Panics
    ///
    /// When the cluster refuses.
    pub fn delete_topic(&self, topic: &str) {
        run(&["delete", &self.brokers(), topic], "");
    }

    /// Gives a topic more partitions.
    ///
    /// # Panics
    ///
    /// When the cluster refuses.
    pub fn grow_topic(&self, topic: &str, partitions: u32) {
        run(
            &["grow", &self.brokers(), topic, &partitions.to_string()],
            "",
        );
    }

    /// Makes a broker, counted from 0, the leader of every partition of a topic that it has.
    ///
    /// # Panics
    ///
    /// When the cluster refuses.
    pub fn move_leaders(&self, topic: &str, broker: usize) {
        let id = (broker + 1).to_string();
        run(&["lead", &self.brokers(), topic, &id], "");
    }

    /// Of each partition of a topic: the broker that leads it, counted from 0 (none without a leader), and how many
    /// replicas are in sync.
    ///
    /// # Panics
    ///
    /// When the cluster does not answer.
    #[must_use]
    pub fn replicas(&self, topic: &str) -> Vec<(Option<usize>, usize)> {
        let table = run(&["replicas", &self.brokers(), topic], "");
        let rows = table.lines().map(|line| {
            let mut columns = line.split('\t').skip(1).map(number::<usize>);
            let leader = columns.next().unwrap_or_default().checked_sub(1);
            (leader, columns.next().unwrap_or_default())
        });
        rows.collect()
    }

    /// What a consumer group has committed: topic, partition, offset.
    ///
    /// # Panics
    ///
    /// When the cluster does not answer.
    #[must_use]
    pub fn committed(&self, group: &str) -> Vec<(String, i32, i64)> {
        let table = run(&["committed", &self.brokers(), group], "");
        let rows = table.lines().map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            match columns.as_slice() {
                [topic, partition, offset] => {
                    ((*topic).to_owned(), number(partition), number(offset))
                }
                _ => panic!("not a row of topic, partition and offset: {line}"),
            }
        });
        rows.collect()
    }
}

fn record(line: &str) -> Record {
    let columns: Vec<_> = line.split('\t').collect();
    let [partition, offset, timestamp, key, value, headers @ ..] = columns.as_slice() else {
        panic!("not a record: {line}");
    };
    Record {
        partition: number(partition),
        offset: number(offset),
        timestamp_ms: number(timestamp),
        key: bytes(key),
        value: bytes(value),
        headers: headers
            .iter()
            .filter_map(|header| header.split_once('='))
            .map(|(name, value)| (name.to_owned(), bytes(value).unwrap_or_default()))
            .collect(),
    }
}

fn column(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| STANDARD.encode(bytes))
}

fn bytes(column: &str) -> Option<Vec<u8>> {
    (column != "-").then(|| {
        STANDARD
            .decode(column)
            .unwrap_or_else(|error| panic!("not base64: {column}: {error}"))
    })
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse()
        .unwrap_or_else(|_| panic!("not a number: {text}"))
}
