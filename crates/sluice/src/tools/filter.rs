//! Which series are meant: by metric name, labels and tenant. Pure.

use clap::Args;
use model::SeriesView;

/// The options that choose series.
#[derive(Debug, Clone, Default, Args)]
pub struct Chosen {
    /// Only this metric name; `*` stands for any text. May be given several times: any of them.
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,
    /// Only series with this label: `host=web-01`, `host=web-*`, or `host!=web-01`. A label that a series does not have
    /// is empty. May be given several times: all of them.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
    /// Only this tenant's samples; `''` for those of nobody. May be given several times: any of them.
    #[arg(long = "tenant", value_name = "TENANT")]
    pub tenants: Vec<String>,
}

/// The same, ready to be asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    names: Vec<Pattern>,
    labels: Vec<Rule>,
    tenants: Vec<String>,
}

#[derive(Debug, Clone)]
struct Rule {
    label: String,
    value: Pattern,
    is_negated: bool,
}

/// A text in which `*` stands for any text.
#[derive(Debug, Clone)]
struct Pattern(Vec<String>);

impl Pattern {
    fn new(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return text.is_empty();
        };
        let Some((last, middle)) = rest.split_last() else {
            return text == first;
        };
        let Some(mut left) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            let Some((_, after)) = left.split_once(part.as_str()) else {
                return false;
            };
            left = after;
        }
        left.ends_with(last.as_str())
    }
}

impl Filter {
    /// Of the options.
    ///
    /// # Errors
    /// The option that cannot be understood, and what would be right.
    pub(crate) fn new(chosen: &Chosen) -> Result<Self, String> {
        let rule = |text: &String| {
            let (label, value) = text.split_once('=').ok_or_else(|| {
                format!("--label {text}: write NAME=VALUE, such as --label host=web-01")
            })?;
            let (label, is_negated) = match label.strip_suffix('!') {
                Some(label) => (label, true),
                None => (label, false),
            };
            if label.is_empty() {
                return Err(format!("--label {text}: the label has no name"));
            }
            Ok(Rule {
                label: label.to_owned(),
                value: Pattern::new(value),
                is_negated,
            })
        };
        Ok(Self {
            names: chosen.names.iter().map(|name| Pattern::new(name)).collect(),
            labels: chosen.labels.iter().map(rule).collect::<Result<_, _>>()?,
            tenants: chosen.tenants.clone(),
        })
    }

    /// Whether every series of a tenant that is meant is meant.
    pub(crate) fn has_every_series(&self) -> bool {
        self.names.is_empty() && self.labels.is_empty()
    }

    /// Whether samples of this tenant are meant.
    pub(crate) fn has_tenant(&self, tenant: Option<&str>) -> bool {
        let tenant = tenant.unwrap_or_default();
        self.tenants.is_empty() || self.tenants.iter().any(|wanted| wanted == tenant)
    }

    /// Whether this series is meant, its tenant aside.
    pub(crate) fn has_series(&self, view: SeriesView<'_>) -> bool {
        self.has_name(view.name()) && self.labels.iter().all(|rule| rule.fits(view))
    }

    /// Whether series of this name may be meant.
    fn has_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|pattern| pattern.fits(name))
    }
}

impl Rule {
    fn fits(&self, view: SeriesView<'_>) -> bool {
        let found = view.labels().find(|(name, _)| *name == self.label);
        let value = found.map_or("", |(_, value)| value);
        self.value.fits(value) != self.is_negated
    }
}

#[cfg(test)]
mod tests;
