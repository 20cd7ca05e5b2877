//! Places in a JSON value.

use serde_json::{Map, Value};

/// Keys and list positions from the root.
pub(super) type Path = Vec<String>;

pub(super) fn get<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    })
}

/// Sets a place; what is on the way and not a section becomes one.
pub(super) fn put(value: &mut Value, path: &[String], new: Value) {
    let Some((key, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    let position = key.parse::<usize>().ok();
    if let Value::Array(items) = value
        && let Some(item) = position.and_then(|position| items.get_mut(position))
    {
        return put(item, rest, new);
    }
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Value::Object(entries) = value {
        put(entries.entry(key).or_insert(Value::Null), rest, new);
    }
}

pub(super) fn remove(value: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut place = value;
    for key in parents {
        match place.get_mut(key) {
            Some(next) => place = next,
            None => return,
        }
    }
    if let Value::Object(entries) = place {
        entries.remove(last);
    }
}

/// The places of everything that is not a section.
pub(super) fn leaves(value: &Value) -> Vec<Path> {
    let is_leaf = |path: &Path| !get(value, path).is_some_and(Value::is_object);
    places(value).into_iter().filter(is_leaf).collect()
}

/// All places in sections, each before those inside it.
pub(super) fn places(value: &Value) -> Vec<Path> {
    fn collect(value: &Value, here: &Path, found: &mut Vec<Path>) {
        for (key, value) in value.as_object().into_iter().flatten() {
            let here = [here.as_slice(), std::slice::from_ref(key)].concat();
            found.push(here.clone());
            collect(value, &here, found);
        }
    }
    let mut found = Vec::new();
    collect(value, &Path::new(), &mut found);
    found
}

/// `path` with keys spelled as they are in `value`: variables have neither case nor dots nor dashes.
pub(super) fn spelled(value: &Value, path: &[String]) -> Path {
    let mut here = Some(value);
    path.iter()
        .map(|key| {
            let entries = here.and_then(Value::as_object);
            let known = entries.and_then(|entries| {
                let mut same = entries.keys().filter(|known| fold(known) == fold(key));
                entries
                    .get_key_value(key)
                    .map(|(known, _)| known)
                    .or_else(|| same.next())
            });
            let spelled = known.unwrap_or(key).clone();
            here = here.and_then(|here| here.get(&spelled));
            spelled
        })
        .collect()
}

/// What two spellings of one key have in common.
pub(super) fn fold(key: &str) -> String {
    key.to_lowercase().replace(['.', '-'], "_")
}
