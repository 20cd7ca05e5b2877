//! Settings in layers: defaults, then a YAML file, then the environment.
//!
//! Whatever is wrong is said in one line that names the place, the key, what was found and what would be right. Text
//! of secrets is not repeated.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use layers::Layers;

pub mod docs;
mod environment;
mod explain;
mod file;
mod layers;
mod settle;
mod tree;

/// A settings file that has been read.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name, for error messages.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// What is wrong, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

/// Who set what.
#[derive(Debug)]
pub struct Sources(Layers);

impl File {
    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(SettingsError::new(format!(
                "{name}: cannot be read: {error}"
            ))),
        }
    }
}

impl SettingsError {
    fn new(line: String) -> Self {
        Self(line.replace(char::is_control, " "))
    }
}

impl Sources {
    /// The error for a setting that fits its type, but not the others. `key` is dotted.
    #[must_use]
    pub fn refuse(&self, key: &str, why: &str) -> SettingsError {
        let path: Vec<_> = key.split('.').map(str::to_owned).collect();
        settle::refused(&self.0, &path, why)
    }
}

/// Settings from all layers.
///
/// `replaced` lists the dotted paths, such as `stores`, that a file replaces as a whole instead of adding to their
/// defaults. The environment always adds. Variables that do not start with `SLUICE_` are ignored.
///
/// # Errors
/// The first thing that is wrong.
pub fn load<T: Serialize + DeserializeOwned>(
    defaults: &T,
    file: Option<&File>,
    environment: impl IntoIterator<Item = (String, String)>,
    replaced: &[&str],
) -> Result<T, SettingsError> {
    load_with_sources(defaults, file, environment, replaced).map(|(settings, _)| settings)
}

/// As [`load`], and who set what, for errors that show later.
///
/// # Errors
/// The first thing that is wrong.
pub fn load_with_sources<T: Serialize + DeserializeOwned>(
    defaults: &T,
    file: Option<&File>,
    environment: impl IntoIterator<Item = (String, String)>,
    replaced: &[&str],
) -> Result<(T, Sources), SettingsError> {
    let written = || {
        let written = serde_json::to_value(defaults);
        written
            .map_err(|error| SettingsError::new(format!("the defaults cannot be written: {error}")))
    };
    let mut layers = Layers::new(written()?);
    if let Some(file) = file {
        layers.add_file(file, replaced)?;
    }
    for variable in environment::variables(environment) {
        layers.add_variable(&variable)?;
    }
    // Only somebody who mistyped a key is told of others.
    let known = || Ok(tree::leaves(&written()?));
    let settings = settle::settle(&mut layers, known)?;
    Ok((settings, Sources(layers)))
}

/// The environment of this process, for [`load`]. What is not Unicode in it is replaced, with what few settings accept.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

#[cfg(test)]
mod tests;
