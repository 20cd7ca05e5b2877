//! The layers on top of each other, and who set what.
//!
//! Neither YAML nor the environment knows whether a setting wants the text `1.0` or the number. So each value knows
//! what else it could mean; see [`Next`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::environment::Variable;
use super::file::{Kind, Node};
use super::tree::{Path, get, put, remove, spelled};
use super::{File, SettingsError};

/// One value that somebody set.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) path: Path,
    pub(super) origin: Origin,
    next: Next,
    /// What of the first reading did not fit, and why.
    pub(super) first_refusal: Option<(Path, String)>,
    /// Its value must not be repeated.
    pub(super) is_hidden: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Line(u64),
    Variable(String),
}

/// How else a value can be read.
#[derive(Debug)]
enum Next {
    /// A number in a file: as the text that is written there.
    Written(Value),
    /// A text in the environment: as YAML, or as a list with commas.
    Parsed(String),
    /// A list in the environment: of something else than texts.
    ParsedItems(String),
    /// In no other way.
    Nothing,
}

/// All layers merged, and where each part comes from.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) value: Value,
    pub(super) settings: Vec<Setting>,
    lines: BTreeMap<Path, u64>,
    file_name: String,
}

impl Layers {
    pub(super) fn new(defaults: Value) -> Self {
        Self {
            value: defaults,
            settings: Vec::new(),
            lines: BTreeMap::new(),
            file_name: String::new(),
        }
    }

    pub(super) fn add_file(&mut self, file: &File, replaced: &[&str]) -> Result<(), SettingsError> {
        self.file_name.clone_from(&file.name);
        let node = Node::parse(&file.text).map_err(|(line, why)| {
            let place = line.map(|line| format!(":{line}")).unwrap_or_default();
            SettingsError::new(format!("{}{place}: {why}", file.name))
        })?;
        if !matches!(node.kind, Kind::Map(_) | Kind::Scalar(Value::Null, _)) {
            let why = "not a settings file, expected sections such as `http:`";
            return Err(SettingsError::new(format!("{}: {why}", file.name)));
        }
        for dotted in replaced {
            let path: Path = dotted.split('.').map(str::to_owned).collect();
            if matches!(node.at(&path), Some(Kind::Map(_))) {
                put(&mut self.value, &path, Value::Object(Map::new()));
            }
        }
        self.add_node(&node, &Path::new(), None)
    }

    pub(super) fn add_variable(&mut self, variable: &Variable) -> Result<(), SettingsError> {
        let path = spelled(&self.value, &variable.path);
        self.put_text(&variable.name, path, variable.text.clone(), false)
    }

    fn put_text(
        &mut self,
        name: &str,
        path: Path,
        text: String,
        is_hidden: bool,
    ) -> Result<(), SettingsError> {
        if get(&self.value, &path).is_some_and(Value::is_object) {
            return match Node::parse(&text) {
                Ok(node) if matches!(node.kind, Kind::Map(_)) => {
                    self.add_node(&node, &path, Some(name))
                }
                Ok(_) | Err(_) => Err(SettingsError::new(format!(
                    "{name}: {} is a section; set {name}__<NAME>, or all of it as {{name: value, …}}",
                    path.join(".")
                ))),
            };
        }
        let origin = Origin::Variable(name.to_owned());
        let other = self.setting_at(&path).and_then(|at| self.settings.get(at));
        if let Some(Origin::Variable(other)) = other.map(|setting| &setting.origin) {
            let key = path.join(".");
            return Err(SettingsError::new(format!(
                "{other} and {name}: both set {key}"
            )));
        }
        let value = Value::String(text.clone());
        self.set(path, value, origin, Next::Parsed(text), is_hidden);
        Ok(())
    }

    fn add_node(
        &mut self,
        node: &Node,
        path: &Path,
        variable: Option<&str>,
    ) -> Result<(), SettingsError> {
        let origin = variable.map_or(Origin::Line(node.line), |name| {
            Origin::Variable(name.to_owned())
        });
        if variable.is_none() {
            self.lines.insert(path.clone(), node.line);
        }
        let is_section = path.is_empty() || get(&self.value, path).is_some_and(Value::is_object);
        match &node.kind {
            Kind::Map(entries) if is_section || !entries.is_empty() => {
                for (key, node) in entries {
                    let mut path = path.clone();
                    path.push(key.clone());
                    self.add_node(node, &path, variable)?;
                }
            }
            // `http:` with nothing below it.
            Kind::Scalar(Value::Null, _) if is_section => {}
            // serde would take it for the section's values without their names.
            Kind::List(_) if is_section => {
                let (place, key) = (self.place(&origin), path.join("."));
                let why = "found a list, expected a section";
                return Err(SettingsError::new(format!("{place}: {key}: {why}")));
            }
            Kind::Map(_) | Kind::List(_) | Kind::Scalar(..) => {
                let (typed, written) = (node.value(false), node.value(true));
                let next = if written == typed {
                    Next::Nothing
                } else {
                    Next::Written(written)
                };
                self.set(path.clone(), typed, origin, next, false);
            }
        }
        Ok(())
    }

    fn set(&mut self, path: Path, value: Value, origin: Origin, next: Next, is_hidden: bool) {
        put(&mut self.value, &path, value);
        self.settings.retain(|setting| setting.path != path);
        self.settings.push(Setting {
            path,
            origin,
            next,
            first_refusal: None,
            is_hidden,
        });
    }

    /// The setting that `path` is, or is a part of.
    pub(super) fn setting_at(&self, path: &[String]) -> Option<usize> {
        self.settings
            .iter()
            .position(|setting| path.starts_with(&setting.path))
    }

    /// Whether anybody set `path` or something in it.
    pub(super) fn is_set(&self, path: &[String]) -> bool {
        self.lines.contains_key(path)
            || self
                .settings
                .iter()
                .any(|setting| path.starts_with(&setting.path) || setting.path.starts_with(path))
    }

    /// Reads a value in its next way, after `message` refused the last one. False when there is none.
    pub(super) fn read_otherwise(&mut self, at: usize, path: &[String], message: &str) -> bool {
        let Some(setting) = self.settings.get_mut(at) else {
            return false;
        };
        let wants_list = message.contains("expected a sequence");
        let (value, next) = match std::mem::replace(&mut setting.next, Next::Nothing) {
            Next::Written(value) => (value, Next::Nothing),
            Next::Parsed(text) => {
                let parsed = Node::parse(&text).map(|node| node.value(false)).ok();
                match parsed {
                    Some(Value::Array(items)) if wants_list => (Value::Array(items), Next::Nothing),
                    _ if wants_list => (items(&text, |item| item.into()), Next::ParsedItems(text)),
                    None | Some(Value::Array(_) | Value::String(_)) => return false,
                    Some(parsed) => (parsed, Next::Nothing),
                }
            }
            Next::ParsedItems(text) => {
                let parse =
                    |item: &str| Node::parse(item).map_or(item.into(), |node| node.value(false));
                (items(&text, parse), Next::Nothing)
            }
            Next::Nothing => return false,
        };
        setting.next = next;
        setting
            .first_refusal
            .get_or_insert_with(|| (path.to_vec(), message.to_owned()));
        put(&mut self.value, &setting.path, value);
        true
    }

    /// When a variable is called `…_FILE` and there is no such setting, its value is in that file.
    pub(super) fn read_from_file(&mut self, at: usize) -> Result<bool, SettingsError> {
        let Some(setting) = self.settings.get(at) else {
            return Ok(false);
        };
        let Origin::Variable(name) = setting.origin.clone() else {
            return Ok(false);
        };
        let mut path = setting.path.clone();
        let stem = path.last().and_then(|last| last.strip_suffix("_file"));
        let (Some(stem), Next::Parsed(file)) = (stem.map(str::to_owned), &setting.next) else {
            return Ok(false);
        };
        let text = std::fs::read_to_string(file).map_err(|error| {
            SettingsError::new(format!("{name}: {file:?} cannot be read: {error}"))
        })?;
        remove(&mut self.value, &path);
        self.settings.remove(at);
        path.pop();
        path.push(stem);
        let path = spelled(&self.value, &path);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        self.put_text(&name, path, text.to_owned(), true)?;
        Ok(true)
    }

    /// Who set `path`, or what is nearest to it.
    pub(super) fn origin(&self, path: &[String]) -> Option<Origin> {
        if let Some(setting) = self.setting_at(path).and_then(|at| self.settings.get(at)) {
            return Some(setting.origin.clone());
        }
        (1..=path.len()).rev().find_map(|len| {
            let path = path.get(..len)?;
            let line = self.lines.get(path).copied().map(Origin::Line);
            line.or_else(|| {
                let mut settings = self.settings.iter();
                let inside = settings.find(|setting| setting.path.starts_with(path))?;
                Some(inside.origin.clone())
            })
        })
    }

    /// `sluice.yaml:12`, or the name of a variable.
    pub(super) fn place(&self, origin: &Origin) -> String {
        match origin {
            Origin::Line(line) => format!("{}:{line}", self.file_name),
            Origin::Variable(name) => name.clone(),
        }
    }
}

fn items(text: &str, read: impl Fn(&str) -> Value) -> Value {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(read)
        .collect()
}
