//! Lines look as asked, and levels are understood or refused.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::{Format, Log, Look, subscriber};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn log(level: &str) -> Log {
    Log {
        level: level.to_owned(),
        format: Format::Auto,
    }
}

fn lines(level: &str, look: Look, write: impl FnOnce()) -> String {
    let lines = Lines::default();
    let subscriber = subscriber(log(level).targets().unwrap(), look, lines.clone());
    tracing::subscriber::with_default(subscriber, write);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_json_line_has_its_fields_on_top() {
    let text = lines("info", Look::Json, || {
        let error: &dyn std::error::Error = &io::Error::other("disk full");
        tracing::warn!(error, partition = 3, "not written");
    });
    let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
    let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!(timestamp.as_str().unwrap().ends_with('Z'), "{timestamp}");
    let expected = serde_json::json!({
        "level": "WARN",
        "message": "not written",
        "error": "disk full",
        "partition": 3,
        "target": module_path!(),
    });
    assert_eq!(line, expected);
}

#[test]
fn colour_is_for_terminals() {
    let write = || tracing::info!("hello");
    assert!(!lines("info", Look::Text, write).contains('\u{1b}'));
    assert!(lines("info", Look::ColouredText, write).contains('\u{1b}'));
}

#[test]
fn a_part_can_have_a_level_of_its_own() {
    let write = || {
        tracing::debug!(target: "gateway", "one");
        tracing::debug!(target: "buffer::kafka", "two");
        tracing::info!(target: "buffer::local", "three");
        tracing::warn!(target: "hyper", "four");
        tracing::error!(target: "hyper", "five");
    };
    let text = lines("info, gateway=debug,hyper = error", Look::Text, write);
    let seen = ["one", "two", "three", "four", "five"].map(|word| text.contains(word));
    assert_eq!(seen, [true, false, true, false, true], "{text}");
    assert_eq!(lines("off", Look::Text, write), "");
}

#[test]
fn a_level_that_is_none_is_refused() {
    for level in ["inof", "", "gateway", "info,gateway=loud", "3", "info,"] {
        let (key, why) = log(level).check().unwrap_err();
        assert_eq!(key, "level");
        assert!(
            why.contains("expected error, warn, info, debug, trace, off"),
            "{why}"
        );
    }
    for level in ["info", "DEBUG", "off", "warn,hyper=trace", "hyper=off"] {
        log(level).check().unwrap();
    }
}
