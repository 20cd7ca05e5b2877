//! Log lines: text for people, JSON for machines, always to stderr.
//!
//! stdout belongs to commands that print data.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt};
use tracing_subscriber::{Registry, fmt, reload};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace` or `off`; also per part: `info,gateway=debug,hyper=warn`.
    pub level: String,
    /// How a line looks. Lines go to stderr.
    pub format: Format,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For machines, one JSON object per line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: Format::default(),
        }
    }
}

impl Log {
    /// Refuses a level that cannot be understood.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn check(&self) -> Result<(), (String, String)> {
        self.targets()
            .map(|_| ())
            .map_err(|why| ("level".to_owned(), why))
    }

    fn targets(&self) -> Result<Targets, String> {
        let mut targets = Targets::new();
        for directive in self.level.split(',').map(str::trim) {
            match directive.split_once('=') {
                Some((target, level)) => {
                    targets = targets.with_target(target.trim(), parse(level.trim())?);
                }
                // Without a `=` it is a level. tracing would take `inof` for the name of a part.
                None => targets = targets.with_default(parse(directive)?),
            }
        }
        Ok(targets)
    }
}

fn parse(level: &str) -> Result<LevelFilter, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    if !LEVELS.contains(&level.to_lowercase().as_str()) {
        return Err(format!(
            "found {level:?}, expected {} or, for one part, <part>=<level>",
            LEVELS.join(", ")
        ));
    }
    level.parse().map_err(|_| format!("found {level:?}"))
}

/// Sends this process' log lines to stderr from now on, panics included.
///
/// A second call changes nothing.
///
/// # Errors
/// The key and what is wrong with it, as [`Log::check`] does.
pub fn init_logs(log: &Log) -> Result<(), (String, String)> {
    let targets = log.targets().map_err(|why| ("level".to_owned(), why))?;
    let is_terminal = std::io::stderr().is_terminal();
    let is_text = match log.format {
        Format::Auto => is_terminal,
        Format::Text => true,
        Format::Json => false,
    };
    let look = match (is_text, is_terminal && wants_colour()) {
        (true, true) => Look::ColouredText,
        (true, false) => Look::Text,
        (false, _) => Look::Json,
    };
    let (targets, handle) = reload::Layer::new(targets);
    let subscriber = subscriber(targets, look, std::io::stderr);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
        LEVEL.get_or_init(|| handle);
    }
    Ok(())
}

/// The level that is in force, once there is one.
static LEVEL: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Puts another level in force; not another format.
///
/// # Errors
/// The key and what is wrong with it, as [`Log::check`] does.
pub fn set_level(log: &Log) -> Result<(), (String, String)> {
    let targets = log.targets().map_err(|why| ("level".to_owned(), why))?;
    if let Some(level) = LEVEL.get() {
        // It fails only when the subscriber is gone, and with it the logs.
        level.reload(targets).unwrap_or_default();
    }
    Ok(())
}

/// See <https://no-color.org>.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[derive(Debug, Clone, Copy)]
enum Look {
    Text,
    ColouredText,
    Json,
}

fn subscriber<F, W>(targets: F, look: Look, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    F: Filter<Registry> + Send + Sync + 'static,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match look {
        Look::Text | Look::ColouredText => {
            let has_colour = matches!(look, Look::ColouredText);
            fmt::layer()
                .with_ansi(has_colour)
                .with_writer(writer)
                .boxed()
        }
        Look::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    };
    Box::new(Registry::default().with(lines.with_filter(targets)))
}

/// A panic is a log line as well, not several lines of text among JSON.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let location = panic.location().map(ToString::to_string);
    tracing::error!(thread, location, message = format!("panic: {message}"));
}

#[cfg(test)]
mod tests;
