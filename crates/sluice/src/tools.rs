//! What the commands that look at the buffer share: settings, a runtime, logs that leave the output alone.

pub(crate) mod filter;
pub(crate) mod output;
pub mod sample;
pub(crate) mod source;
pub(crate) mod when;

use std::future::Future;

use anyhow::Context;
use clap::Args;

use crate::cli;
use crate::settings::{Role, Settings};

/// Whose settings apply.
#[derive(Debug, Args)]
pub struct Tool {
    /// Where settings come from.
    #[command(flatten)]
    pub settings: cli::Settings,
    /// The command whose defaults apply: `standalone` looks at the embedded log in `data_dir`, the others at Kafka.
    #[arg(long, value_enum, default_value_t = Role::Consumer)]
    pub role: Role,
}

/// What was asked for cannot be: an option or a setting is wrong.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl Usage {
    pub(crate) fn of(why: impl std::fmt::Display) -> anyhow::Error {
        anyhow::Error::new(Self(why.to_string()))
    }
}

impl Tool {
    /// Reads the settings and starts the logs. What is only information is left out unless `log.level` says otherwise:
    /// these commands have an output of their own.
    pub(crate) fn load(&self) -> anyhow::Result<Settings> {
        let environment = service::settings::environment();
        let file = self.settings.config.as_deref();
        let mut settings = Settings::for_tool(self.role, file, environment).map_err(Usage::of)?;
        if settings.log == service::telemetry::Log::default() {
            settings.log.level = "warn,service::health=error".to_owned();
        }
        service::telemetry::init_logs(&settings.log)
            .map_err(|(key, why)| Usage::of(format!("log.{key}: {why}")))?;
        Ok(settings)
    }
}

/// Runs a command to its end.
pub(crate) fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    let outcome = runtime.block_on(command);
    // A client of Kafka may still wait for brokers that do not answer.
    runtime.shutdown_background();
    outcome
}
