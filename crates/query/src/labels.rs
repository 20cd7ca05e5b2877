//! The labels of a series, and what questions want of them.

use std::sync::Arc;

use model::NAME_LABEL;
use promql_parser::label::{MatchOp, Matcher};
use store::select::Names;

/// The label that says whose a series is, where samples of all tenants are asked for.
pub(crate) const TENANT_LABEL: &str = "__tenant_id__";

/// Memory of a label beside its texts.
const LABEL_BYTES: usize = 2 * size_of::<String>() + 16;

/// Names and values, sorted by name, the metric's among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Labels(Vec<(String, String)>);

impl Labels {
    /// Not one.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// Of these, in any order. Labels without a value are none.
    pub(crate) fn of(mut pairs: Vec<(String, String)>) -> Self {
        pairs.retain(|(_, value)| !value.is_empty());
        pairs.sort_unstable();
        Self(pairs)
    }

    /// The value of a label; the empty text when there is no such label.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// All but the metric's name and the tenant.
    pub(crate) fn plain(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter()
            .filter(|(name, _)| !matches!(*name, NAME_LABEL | TENANT_LABEL))
    }

    /// Without the metric's name.
    pub(crate) fn without_name(mut self) -> Self {
        self.0.retain(|(name, _)| name != NAME_LABEL);
        self
    }

    /// Only those that this says yes to.
    pub(crate) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(name, _)| keep(name));
        Self(kept.cloned().collect())
    }

    /// With this label, in the place of one of that name; without it when the value is empty.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut pairs = self.only(|known| known != name).0;
        pairs.push((name.to_owned(), value.to_owned()));
        Self::of(pairs)
    }

    /// Memory that they take.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.0.iter();
        texts
            .map(|(name, value)| name.len() + value.len() + LABEL_BYTES)
            .sum::<usize>()
            + size_of::<Self>()
    }
}

#[cfg(test)]
pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Labels::of(pairs.iter().map(owned).collect())
}

/// Conditions that a series meets all of, or one such list of several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matching {
    any_of: Vec<Vec<Matcher>>,
    tenant: Option<String>,
}

impl Matching {
    /// One of these lists; none of them is no condition at all.
    pub(crate) fn any_of(any_of: Vec<Vec<Matcher>>, tenant: Option<String>) -> Self {
        Self { any_of, tenant }
    }

    /// Which tenant's alone, if one was named.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Whether a series is wanted. `get` gives the value of a label, the metric's name among them.
    pub(crate) fn want<'a>(&self, get: impl Fn(&str) -> &'a str) -> bool {
        let all = |list: &Vec<Matcher>| {
            list.iter()
                .all(|matcher| matcher.is_match(get(&matcher.name)))
        };
        self.any_of.is_empty() || self.any_of.iter().any(all)
    }

    /// Which metric names may be wanted.
    pub(crate) fn names(&self) -> Names {
        let of_name = |list: &Vec<Matcher>| -> Vec<Matcher> {
            let named = list.iter().filter(|matcher| matcher.name == NAME_LABEL);
            named.cloned().collect()
        };
        let lists: Vec<Vec<Matcher>> = self.any_of.iter().map(of_name).collect();
        if let [list] = lists.as_slice()
            && let Some(one) = list.iter().find(|matcher| matcher.op == MatchOp::Equal)
        {
            return Names::One(one.value.as_str().into());
        }
        let want = move |name: &str| {
            lists.is_empty()
                || lists
                    .iter()
                    .any(|list| list.iter().all(|matcher| matcher.is_match(name)))
        };
        Names::Some(Arc::new(want))
    }
}

#[cfg(test)]
mod tests;
