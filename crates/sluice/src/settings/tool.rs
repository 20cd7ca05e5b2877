//! The settings of a command that looks at the buffer and serves nothing.

use std::path::Path;

use service::settings::{File, SettingsError};

use super::{BufferKind, Role, Settings, check_store_name};

impl Settings {
    /// What a role's file says, for a command that needs only the buffer and perhaps a store of it: a gateway's file
    /// names no store, and that is fine.
    ///
    /// # Errors
    /// One line that names the key, for the first thing that is wrong.
    pub fn for_tool(
        role: Role,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let file = file.map(File::read).transpose()?;
        let defaults = Self::defaults(role);
        let (settings, sources) = service::settings::load_with_sources(
            &defaults,
            file.as_ref(),
            environment,
            &["stores"],
        )?;
        settings
            .check_for_tool()
            .map_err(|(key, why)| sources.refuse(&key, &why))?;
        Ok(settings)
    }

    fn check_for_tool(&self) -> Result<(), (String, String)> {
        let section =
            |name: &'static str| move |(key, why): (String, String)| (format!("{name}.{key}"), why);
        self.log.check().map_err(section("log"))?;
        self.consumer.check().map_err(section("consumer"))?;
        for (name, store) in &self.stores {
            check_store_name(name)?;
            store
                .check()
                .map_err(|(key, why)| (format!("stores.{name}.{key}"), why))?;
        }
        match self.buffer.kind {
            BufferKind::Kafka => self.kafka.check().map_err(section("kafka")),
            BufferKind::Local => self.local.check().map_err(section("local")),
        }
    }
}
