//! Request bodies of every protocol, ready to be sent.

mod compress;
mod draft;
mod json;
mod layout;
mod lines;
pub(crate) mod number;
mod otlp;
mod remote_write;
#[cfg(test)]
mod tests;

pub(crate) use compress::Compressor;

use draft::Draft;
use layout::{Layout, Space};

use crate::load::Load;
use crate::protocol::Protocol;

/// Bodies after which names that are drawn are drawn again.
const DRAWN_FOR: u64 = 16;

/// Whose value a label has.
#[derive(Debug, Clone)]
enum Label {
    Host,
    Text(String),
}

/// Labels in the order in which senders of text write them.
type Labels = Vec<(String, Label)>;

/// A body whose places are written anew for each request.
#[derive(Debug)]
pub(crate) struct Bodies {
    protocol: Protocol,
    labels: Labels,
    space: Space,
    layout: Layout,
    draft: Draft,
    /// Where names and hosts start now.
    offsets: Option<(u64, u64)>,
    /// Room for the numbers of slots.
    numbers: Vec<u64>,
    made: u64,
    batch: u64,
}

impl Bodies {
    pub(crate) fn new(load: &Load) -> Self {
        let mut space = Space::new(load);
        let layout = space.layout();
        let labels = labels(load);
        Self {
            protocol: load.protocol,
            draft: draft(load.protocol, &layout, &labels),
            labels,
            space,
            layout,
            offsets: None,
            numbers: Vec::new(),
            made: 0,
            batch: load.batch.get() as u64,
        }
    }

    /// How many series there are in all.
    #[cfg(test)]
    fn series(&self) -> u64 {
        self.space.series()
    }

    /// Samples per body.
    pub(crate) const fn batch(&self) -> u64 {
        self.batch
    }

    /// The body that a connection sends as its `turn`th, at `at_ms`, with values from the place `first` on.
    pub(crate) fn make(&mut self, connection: u64, turn: u64, at_ms: u64, first: u64) -> &[u8] {
        if self.space.is_drawn() && self.made > 0 && self.made.is_multiple_of(DRAWN_FOR) {
            self.layout = self.space.layout();
            self.draft = draft(self.protocol, &self.layout, &self.labels);
            self.offsets = None;
        }
        self.made += 1;
        let offsets = self.space.offsets(connection, turn);
        if self.offsets.map(|(names, _)| names) != Some(offsets.0) {
            self.numbers.clear();
            let names = self.layout.names.iter();
            self.numbers
                .extend(names.map(|name| self.space.name(name + offsets.0)));
            self.draft.set_names(&self.numbers);
        }
        if self.offsets.map(|(_, hosts)| hosts) != Some(offsets.1) {
            self.numbers.clear();
            let hosts = 0..u64::from(self.layout.hosts);
            self.numbers
                .extend(hosts.map(|host| self.space.host(host + offsets.1)));
            self.draft.set_hosts(&self.numbers);
        }
        self.offsets = Some(offsets);
        self.draft.set_samples(at_ms, first);
        &self.draft.bytes
    }
}

fn labels(load: &Load) -> Labels {
    let names = ["region", "environment"].map(str::to_owned);
    let more = (3..).map(|number| format!("label_{number:03}"));
    let mut labels = vec![("host".to_owned(), Label::Host)];
    for name in names.into_iter().chain(more).take(load.labels.get() - 1) {
        let word = match name.as_str() {
            "region" => "us-east-1".to_owned(),
            "environment" => "production".to_owned(),
            other => format!("value-of-{other}"),
        };
        let text = match load.label_bytes {
            Some(len) => word
                .chars()
                .chain(std::iter::repeat('x'))
                .take(len.max(1))
                .collect(),
            None => word,
        };
        labels.push((name, Label::Text(text)));
    }
    labels
}

fn draft(protocol: Protocol, layout: &Layout, labels: &Labels) -> Draft {
    let mut draft = Draft::default();
    let write = match protocol {
        Protocol::Json => json::seed,
        Protocol::Opentsdb => json::opentsdb,
        Protocol::Victoria => json::victoria,
        Protocol::Datadog => json::datadog,
        Protocol::RemoteWrite1 => remote_write::v1,
        Protocol::RemoteWrite2 => remote_write::v2,
        Protocol::Otlp => otlp::protobuf,
        Protocol::OtlpJson => otlp::json,
        Protocol::Influx => lines::influx,
        Protocol::Text => lines::text,
        Protocol::Statsd => lines::statsd,
    };
    write(&mut draft, layout, labels);
    draft
}

impl Draft {
    /// A label's value without quotes.
    fn label(&mut self, value: &Label, host: u32) {
        match value {
            Label::Host => self.host(host),
            Label::Text(text) => self.text(text),
        }
    }

    /// `"name": "value", …`, with what stands between.
    fn label_members(&mut self, labels: &Labels, host: u32, colon: &str, comma: &str) {
        for (number, (name, value)) in labels.iter().enumerate() {
            if number > 0 {
                self.text(comma);
            }
            self.text("\"");
            self.text(name);
            self.text("\"");
            self.text(colon);
            self.text("\"");
            self.label(value, host);
            self.text("\"");
        }
    }
}
