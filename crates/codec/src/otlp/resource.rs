//! What all metrics of a resource share: `job`, `instance`, promoted attributes, and `target_info`.

use std::borrow::Cow;

use model::{Label, MetricType};

use super::attributes::{Labels, attribute};
use super::translate::{Translator, to_ms};
use super::{Options, Stop};
use crate::protobuf::{Malformed, Reader};

const SERVICE_NAME: &str = "service.name";
const SERVICE_NAMESPACE: &str = "service.namespace";
const SERVICE_INSTANCE: &str = "service.instance.id";

#[derive(Debug, Default)]
pub(super) struct Resource<'a> {
    /// `job` and `instance`, as far as there are.
    pub(super) identity: Vec<Label<'a>>,
    /// Attributes that become labels of every series which has no such label.
    pub(super) promoted: Vec<Label<'a>>,
    attributes: Vec<&'a [u8]>,
    /// When its newest data point was.
    pub(super) latest_ns: u64,
}

impl<'a> Resource<'a> {
    pub(super) fn read(&mut self, message: &'a [u8], options: &Options) -> Result<(), Malformed> {
        let (mut name, mut namespace, mut instance) = (None, None, None);
        let mut promoted = Labels::default();
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            if number != 1 {
                continue;
            }
            let message = field.bytes()?;
            let (key, value) = attribute(message)?;
            if options.promoted.iter().any(|promoted| promoted == key) {
                promoted.add(message)?;
            }
            match key {
                SERVICE_NAME => name = Some(value),
                SERVICE_NAMESPACE => namespace = Some(value),
                SERVICE_INSTANCE => instance = Some(value),
                _ => {}
            }
            self.attributes.push(message);
        }
        let job = match (namespace, name) {
            (Some(namespace), Some(name)) if !namespace.is_empty() => {
                Some(Cow::Owned(format!("{namespace}/{name}")))
            }
            (_, name) => name,
        };
        self.identity.clear();
        for (label, value) in [("job", job), ("instance", instance)] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                self.identity.push(Label {
                    name: Cow::Borrowed(label),
                    value,
                });
            }
        }
        // The settings let no attribute be promoted whose name cannot be a label's.
        if promoted.finish(options.names, &[], &[]).is_ok() {
            self.promoted = promoted.finished;
        }
        Ok(())
    }
}

impl Translator<'_, '_> {
    /// Adds the series that has the resource's attributes as its labels, at the time of its newest data point.
    pub(super) fn target_info(&mut self) -> Result<(), Stop> {
        let options = self.translation.options;
        if !options.has_target_info
            || self.resource.latest_ns == 0
            || self.resource.identity.is_empty()
        {
            return Ok(());
        }
        self.labels.clear();
        for attribute in &self.resource.attributes {
            self.labels.add(attribute)?;
        }
        self.labels
            .drop_keys(&[SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE]);
        // Without a further attribute it would say nothing; one that cannot be a label says it in vain.
        if self.labels.is_empty()
            || self
                .labels
                .finish(options.names, &[], &self.resource.identity)
                .is_err()
        {
            return Ok(());
        }
        let index = self.next_index()?;
        self.count(1)?;
        let batch = &mut self.decoded.batch;
        let from = batch.open_labels();
        for label in self.labels.finished.drain(..) {
            batch.push_label(label.name, label.value);
        }
        let series = batch.close_series("target_info", from);
        batch.describe(series, MetricType::Gauge, "", "Target metadata");
        batch.push_float(index, series, to_ms(self.resource.latest_ns), 1.0);
        Ok(())
    }
}
