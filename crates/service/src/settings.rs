//! Settings in layers: defaults, then a YAML file, then the environment.
//!
//! Whatever is wrong is said in one line that names the key, where it was set, what was found and what would be right.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub mod docs;

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

impl File {
    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(SettingsError(format!("{name}: cannot be read: {error}"))),
        }
    }
}

/// Settings from all layers.
///
/// `replaced` lists the dotted paths, such as `stores`, that a file replaces as a whole instead of adding to their
/// defaults. The environment always adds.
///
/// # Errors
/// The first thing that is wrong.
pub fn load<T: Serialize + DeserializeOwned>(
    defaults: &T,
    _file: Option<&File>,
    _environment: impl IntoIterator<Item = (String, String)>,
    _replaced: &[&str],
) -> Result<T, SettingsError> {
    let value = serde_json::to_value(defaults).map_err(|error| SettingsError(error.to_string()))?;
    serde_path_to_error::deserialize(value).map_err(|error| SettingsError(error.to_string()))
}

/// The environment variables that are settings.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("SLUICE_"))
        .collect()
}
