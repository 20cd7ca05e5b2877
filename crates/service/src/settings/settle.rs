//! From layers to settings: the values are tried, read in another way where they do not fit, and refused at last.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Segment;

use super::SettingsError;
use super::environment;
use super::explain::{Problem, explain, nearest, one_of};
use super::layers::{Layers, Origin};
use super::tree::{Path, fold, get, places, put, remove};

/// Where a value does not fit, and why.
#[derive(PartialEq, Eq)]
struct Refusal {
    path: Path,
    message: String,
}

pub(super) fn settle<T: DeserializeOwned>(
    layers: &mut Layers,
    known: impl Fn() -> Result<Vec<Path>, SettingsError>,
) -> Result<T, SettingsError> {
    loop {
        let refusal = match fit(&layers.value) {
            Ok(settings) => return Ok(settings),
            Err(refusal) => refusal,
        };
        match explain(&refusal.message) {
            Problem::UnknownKey { name, known: here } => {
                let path = key_path(&layers.value, &refusal.path, &name);
                if !layers.is_set(&path) {
                    // A default that belonged to another kind, such as another type of store.
                    remove(&mut layers.value, &path);
                    continue;
                }
                let at = layers.setting_at(&path);
                if let Some(at) = at
                    && layers.read_from_file(at)?
                {
                    continue;
                }
                let why = unknown(layers, &path, &here, &known()?);
                return Err(refused(layers, &path, &why));
            }
            Problem::Missing { name } => {
                let mut path = refusal.path;
                path.push(name);
                return Err(refused(layers, &path, "has to be set"));
            }
            Problem::Other(_) => {
                let path = culprit::<T>(layers, &refusal);
                if let Some(at) = layers.setting_at(&path)
                    && layers.read_otherwise(at, &path, &refusal.message)
                {
                    continue;
                }
                return Err(misfit(layers, path, refusal.message));
            }
        }
    }
}

fn fit<T: DeserializeOwned>(value: &Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path: Path = error.path().iter().filter_map(key).collect();
        let message = error.inner().to_string();
        // Types that read their settings by themselves say in front which one it is.
        if let Some((inside, rest)) = message.split_once(": ") {
            let inside: Path = inside.split('.').map(str::to_owned).collect();
            let inside = [path.as_slice(), &inside].concat();
            if get(value, &inside).is_some() {
                let message = rest.to_owned();
                return Refusal {
                    path: inside,
                    message,
                };
            }
        }
        Refusal { path, message }
    })
}

fn key(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// serde names the section of an unknown key in some cases, and the key itself in others.
fn key_path(value: &Value, path: &[String], name: &str) -> Path {
    let mut inside = path.to_vec();
    inside.push(name.to_owned());
    if get(value, &inside).is_some() {
        return inside;
    }
    path.to_vec()
}

/// What exactly does not fit.
///
/// Inside an enum with a tag serde knows the enum alone. But it reads one value after the other and stops at the first
/// bad one: spoiling a value that it has read or stopped at changes its answer, spoiling a later one does not. So what
/// does not fit is the last one that matters.
fn culprit<T: DeserializeOwned>(layers: &Layers, refusal: &Refusal) -> Path {
    let section = get(&layers.value, &refusal.path);
    let Some(section) = section.filter(|_| layers.setting_at(&refusal.path).is_none()) else {
        return refusal.path.clone();
    };
    let spoil = |value: &mut Value, place: &Path, nonsense: Value| {
        put(value, place, nonsense);
        fit::<T>(value).err()
    };
    let spoiled = |place: Path| {
        let texts = [
            Value::from(format!("\u{1}{}", place.join("."))),
            json!([true]),
        ];
        texts.into_iter().find_map(|nonsense| {
            let answer = spoil(&mut layers.value.clone(), &place, nonsense.clone());
            (answer.as_ref() != Some(refusal)).then(|| (place.clone(), nonsense, answer))
        })
    };
    let matter = places(section)
        .into_iter()
        .map(|place| [refusal.path.as_slice(), &place].concat())
        .filter_map(spoiled);
    // Of two spoiled ones, the answer is about the one that is read first. The tag is, wherever it stands.
    let last = matter.reduce(|one, other| {
        let mut both = layers.value.clone();
        put(&mut both, &one.0, one.1.clone());
        let is_first = spoil(&mut both, &other.0, other.1.clone()) == one.2;
        let is_inside = other.0.starts_with(&one.0);
        if is_inside || is_first { other } else { one }
    });
    last.map_or_else(|| refusal.path.clone(), |(place, ..)| place)
}

fn unknown(layers: &Layers, path: &[String], here: &[String], known: &[Path]) -> String {
    let Some((name, section)) = path.split_last() else {
        return "unknown key".to_owned();
    };
    let neighbour = nearest(name, here.iter().map(String::as_str))
        .map(|near| [section, &[near.to_owned()]].concat());
    // `http_listen` for `http.listen`, or `listen` in the wrong section.
    let elsewhere = || {
        let flat = |path: &[String]| fold(&path.join("_"));
        let wanted = flat(path);
        let same = known.iter().find(|known| flat(known) == wanted);
        let mut others = known.iter();
        same.or_else(|| others.find(|known| known.last() == Some(name)))
    };
    match neighbour.or_else(|| elsewhere().cloned()) {
        Some(meant) => {
            let meant = meant.join(".");
            let is_variable = matches!(layers.origin(path), Some(Origin::Variable(_)));
            let meant = if is_variable {
                environment::name(&meant)
            } else {
                meant
            };
            format!("unknown key, did you mean {meant}?")
        }
        None if here.is_empty() => "unknown key".to_owned(),
        None => format!("unknown key, expected {}", one_of(here)),
    }
}

fn misfit(layers: &Layers, path: Path, message: String) -> SettingsError {
    let setting = layers
        .setting_at(&path)
        .and_then(|at| layers.settings.get(at));
    // That it does not fit as a text either says less than why it did not fit as a number.
    let first = setting.and_then(|setting| setting.first_refusal.clone());
    let (path, mut message) = match first {
        Some((path, first))
            if message.starts_with("invalid type: string") && !first.ends_with("a sequence") =>
        {
            (path, first)
        }
        _ => (path, message),
    };
    let is_secret = setting.is_some_and(|setting| setting.is_hidden)
        || path.last().is_some_and(|key| sounds_secret(key));
    let value = get(&layers.value, &path);
    if is_secret && let Some(value) = value {
        message = hide(&message, value);
    }
    let mut why = match explain(&message) {
        Problem::Other(why) => why,
        Problem::UnknownKey { .. } | Problem::Missing { .. } => message,
    };
    if let Some(text) = value.and_then(Value::as_str)
        && !is_secret
        && !why.contains(text.escape_debug().to_string().as_str())
    {
        why = format!("found {text:?}: {why}");
    }
    refused(layers, &path, &why)
}

fn sounds_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let words = [
        "password",
        "passphrase",
        "secret",
        "token",
        "credential",
        "auth",
    ];
    words.iter().any(|word| key.contains(word))
}

fn hide(message: &str, value: &Value) -> String {
    let shown = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let escaped = format!("{shown:?}");
    let hidden = message.replace(&escaped, "***");
    if shown.is_empty() {
        return hidden;
    }
    hidden.replace(&shown, "***")
}

pub(super) fn refused(layers: &Layers, path: &[String], why: &str) -> SettingsError {
    let key = path.join(".");
    let place = layers.origin(path).map(|origin| layers.place(&origin));
    let parts = [place.as_deref(), Some(key.as_str()), Some(why)];
    let parts: Vec<_> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    SettingsError::new(parts.join(": "))
}
