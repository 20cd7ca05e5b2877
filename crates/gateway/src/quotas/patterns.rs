//! Metric names as settings write them: a name, or how names begin.

use std::collections::HashMap;

/// Things by name. The name itself counts before a beginning, and a longer beginning before a shorter one.
#[derive(Debug, Clone)]
pub(super) struct Patterns<T> {
    names: HashMap<String, T>,
    /// The longest first.
    beginnings: Vec<(String, T)>,
}

impl<T> Patterns<T> {
    pub(super) fn of(all: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut names = HashMap::new();
        let mut beginnings = Vec::new();
        for (pattern, what) in all {
            match pattern.strip_suffix('*') {
                Some(beginning) => beginnings.push((beginning.to_owned(), what)),
                None => drop(names.insert(pattern, what)),
            }
        }
        beginnings.sort_by_key(|(beginning, _)| std::cmp::Reverse(beginning.len()));
        Self { names, beginnings }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.beginnings.is_empty()
    }

    pub(super) fn find(&self, name: &str) -> Option<&T> {
        if let Some(found) = self.names.get(name) {
            return Some(found);
        }
        let mut beginnings = self.beginnings.iter();
        beginnings
            .find(|(beginning, _)| name.starts_with(beginning.as_str()))
            .map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn a_name_counts_before_a_beginning_and_a_longer_one_before_a_shorter() {
        let all = [
            ("*", 0),
            ("http_*", 1),
            ("http_requests_*", 2),
            ("http_up", 3),
        ];
        let patterns = Patterns::of(all.map(|(pattern, what)| (pattern.to_owned(), what)));
        let found = [
            "up",
            "http_x",
            "http_requests_total",
            "http_up",
            "http_upper",
        ];
        assert_eq!(
            found.map(|name| patterns.find(name).copied()),
            [Some(0), Some(1), Some(2), Some(3), Some(1)]
        );
    }
}
