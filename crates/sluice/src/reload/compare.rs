//! What differs between two settings, and what of it can change while a process runs.

use serde_json::Value;

use crate::settings::Settings;

/// Sections and settings that parts of the process take anew.
const LIVE: [&str; 10] = [
    "access",
    "admin.tls",
    "emergency.mode",
    "emergency.use_fallback",
    "http.tls",
    "log.level",
    "partitioning.by",
    "partitioning.spread",
    "quotas",
    "tenancy",
];

/// Settings as they can be compared, with secrets told apart but not readable.
pub(super) fn comparable(settings: &Settings) -> Value {
    service::secret::comparable(|| serde_json::to_value(settings)).unwrap_or_default()
}

/// The dotted keys of what differs, in order.
pub(super) fn changed(old: &Value, new: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    collect(old, new, String::new(), &mut keys);
    keys
}

fn collect(old: &Value, new: &Value, here: String, keys: &mut Vec<String>) {
    let (Value::Object(olds), Value::Object(news)) = (old, new) else {
        if old != new {
            keys.push(here);
        }
        return;
    };
    let added = news.keys().filter(|key| !olds.contains_key(*key));
    for key in olds.keys().chain(added) {
        let inner = if here.is_empty() {
            key.clone()
        } else {
            format!("{here}.{key}")
        };
        let (old, new) = (olds.get(key), news.get(key));
        let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
        collect(old, new, inner, keys);
    }
}

/// Whether a running process takes this setting anew.
pub(super) fn is_live(key: &str, started: &Value, new: &Value) -> bool {
    let is_in = |section: &&str| {
        key.strip_prefix(section)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let Some(section) = LIVE.into_iter().find(is_in) else {
        return false;
    };
    // A listener that has no TLS does not get it, and the other way round: its clients would all be wrong at once.
    let pointer = format!("/{}", section.replace('.', "/"));
    let has = |settings: &Value| settings.pointer(&pointer).is_some_and(|tls| !tls.is_null());
    !section.ends_with(".tls") || has(started) == has(new)
}
