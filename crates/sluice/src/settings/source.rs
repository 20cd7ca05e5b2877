//! Where a process' settings come from, so that they can be read again.

use std::path::{Path, PathBuf};

use service::settings::{SettingsError, Sources};

use super::{Role, Settings};

/// A file and the environment, as they were given at the start.
#[derive(Debug, Clone)]
pub struct Source {
    role: Role,
    file: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

impl Source {
    /// For a process of this role.
    #[must_use]
    pub fn new(role: Role, file: Option<PathBuf>, environment: Vec<(String, String)>) -> Self {
        Self {
            role,
            file,
            environment,
        }
    }

    /// The role whose defaults apply.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    /// One line that names the key, for the first thing that is wrong.
    pub fn load(&self) -> anyhow::Result<Settings> {
        Ok(self.load_with_sources()?.0)
    }

    pub(crate) fn load_with_sources(&self) -> Result<(Settings, Sources), SettingsError> {
        let file = self.file.as_deref().map(service::settings::File::read);
        let environment = self.environment.iter().cloned();
        read(self.role, file.transpose()?.as_ref(), environment)
    }

    /// The settings file, and those that the environment names with `…_FILE`.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let is_file = |name: &str| {
            let name = name.to_ascii_uppercase();
            name.starts_with("SLUICE_") && name.ends_with("_FILE")
        };
        let named = self.environment.iter().filter(|(name, _)| is_file(name));
        let named = named.map(|(_, path)| PathBuf::from(path));
        self.file
            .as_deref()
            .map(Path::to_owned)
            .into_iter()
            .chain(named)
            .collect()
    }
}

/// Reads and checks what a file says and the environment over it.
pub(super) fn read(
    role: Role,
    file: Option<&service::settings::File>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(Settings, Sources), SettingsError> {
    let (settings, sources) = service::settings::load_with_sources(
        &Settings::defaults(role),
        file,
        environment,
        &["stores"],
    )?;
    settings
        .check(role)
        .map_err(|(key, why)| sources.refuse(&key, &why))?;
    Ok((settings, sources))
}
