//! Labels that a request gives all its series: `extra_label=name=value`, or a path as the Pushgateway has it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Bytes, BytesMut};
use model::Label;

use super::Head;

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
            labels.read_path(path)?;
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

    /// Reads `job/{job}[/{label}/{value}]…`, where a name may have `@base64` behind it.
    fn read_path(&mut self, path: &str) -> Result<(), String> {
        let mut parts = path.split('/');
        while let Some(name) = parts.next() {
            let is_first = self.0.is_empty();
            let value = parts
                .next()
                .ok_or_else(|| format!("the path has no value for the label {:?}", shown(name)))?;
            let (name, value) = match name.strip_suffix("@base64") {
                None => (name, value.to_owned()),
                Some(name) => {
                    let bytes = URL_SAFE_NO_PAD.decode(value.trim_end_matches('='));
                    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
                    let text = text.ok_or_else(|| {
                        format!(
                            "the value {:?} of {name}@base64 is no text in URL-safe base64",
                            shown(value)
                        )
                    })?;
                    (name, text)
                }
            };
            if is_first && (name != "job" || value.is_empty()) {
                return Err(
                    "the path behind /metrics must begin with job/ and the job's name".to_owned(),
                );
            }
            self.add(name, value)?;
        }
        Ok(())
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

    fn len(&self) -> usize {
        let bytes = |(name, value): &(String, String)| name.len() + value.len();
        self.0.iter().map(bytes).sum()
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}
