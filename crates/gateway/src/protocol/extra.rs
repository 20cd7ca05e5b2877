//! Labels that a request gives all its series: `extra_label=name=value`, or a path as the Pushgateway has it.

use bytes::{Bytes, BytesMut};
use codec::Decoded;
use model::{Code, Label, Refusal};

use super::Head;
use crate::pushgateway::group_of_path;

/// Labels that any body may get, however short it is.
const LABELS_ALWAYS: usize = 100_000;

/// The labels, by which a series' own of the same names are replaced.
///
/// Decoded strings are the body's, so these travel behind it: [`Self::appended_to`] puts them there, and
/// [`Self::split`] finds them.
#[derive(Debug, Default)]
pub(super) struct ExtraLabels(Vec<(String, String)>);

impl ExtraLabels {
    /// Reads what path and query say.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub(super) fn of(head: &Head<'_>) -> Result<Self, String> {
        let mut labels = Self::default();
        if let Some(path) = head.path_parameter("labels") {
            if !path.starts_with("job/") && !path.starts_with("job@base64/") {
                return Err("the path behind /metrics/ must begin with job/".to_owned());
            }
            labels.0.extend(group_of_path(head.parts.uri.path())?);
        }
        let query = head.parts.uri.query().unwrap_or_default();
        for (key, pair) in form_urlencoded::parse(query.as_bytes()) {
            if key != "extra_label" {
                continue;
            }
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                format!(
                    "extra_label is {:?}; write extra_label=name=value",
                    shown(&pair)
                )
            })?;
            labels.add(name, value.to_owned())?;
        }
        let most = head.app.pipeline.limits.max_labels;
        if labels.0.len() > most {
            return Err(format!(
                "the request gives {} labels to each series, the limit is {most}",
                labels.0.len()
            ));
        }
        Ok(labels)
    }

    /// Adds a label; the last of a name counts.
    fn add(&mut self, name: &str, value: String) -> Result<(), String> {
        if name.is_empty() || name == model::NAME_LABEL {
            return Err(format!("an extra label cannot have the name {name:?}"));
        }
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    /// The body with the labels behind it.
    pub(super) fn appended_to(&self, body: Bytes) -> Bytes {
        if self.0.is_empty() {
            return body;
        }
        let mut both = BytesMut::with_capacity(body.len() + self.len());
        both.extend_from_slice(&body);
        for (name, value) in &self.0 {
            both.extend_from_slice(name.as_bytes());
            both.extend_from_slice(value.as_bytes());
        }
        both.freeze()
    }

    /// The body, and the labels behind it.
    pub(super) fn split<'a>(&self, both: &'a [u8]) -> (&'a [u8], Vec<Label<'a>>) {
        let at = both.len().saturating_sub(self.len());
        let (body, behind) = both.split_at_checked(at).unwrap_or((both, &[]));
        let mut rest = std::str::from_utf8(behind).unwrap_or_default();
        let mut take = |text: &String| {
            let (taken, left) = rest.split_at_checked(text.len()).unwrap_or((rest, ""));
            rest = left;
            taken
        };
        let labels = self.0.iter().map(|(name, value)| Label {
            name: take(name).into(),
            value: take(value).into(),
        });
        (body, labels.collect())
    }

    /// Gives the labels that [`Self::split`] found to all series of the body before them.
    ///
    /// # Errors
    /// When these would be more than a body of this size may become.
    pub(super) fn give<'a>(
        extra: &[Label<'a>],
        body: &[u8],
        decoded: &mut Decoded<'a>,
    ) -> Result<(), Refusal> {
        if extra.is_empty() {
            return Ok(());
        }
        let series = decoded.batch.all_series().len();
        if series.saturating_mul(extra.len()) > body.len().max(LABELS_ALWAYS) {
            let message = format!(
                "{} labels for each of {series} series are more than one body of this size may become",
                extra.len()
            );
            return Err(Refusal::new(Code::TooManyLabels, message));
        }
        decoded.batch.set_labels(extra);
        Ok(())
    }

    fn len(&self) -> usize {
        let bytes = |(name, value): &(String, String)| name.len() + value.len();
        self.0.iter().map(bytes).sum()
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}
