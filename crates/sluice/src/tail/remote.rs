//! The tail of a running standalone, over its admin listener.

use std::time::Duration;

use anyhow::Context;
use buffer::local::{DataDir, LockError};
use bytes::Bytes;
use service::http_client::{Timeouts, client};

use super::{Arguments, LOOK};
use crate::process::reachable;
use crate::settings::Settings;
use crate::tools::filter::Filter;
use crate::tools::output::{is_gone, put};
use crate::tools::sample::{Format, HEADER, Origin, Style};

/// As long as anybody looks.
const PATIENCE: Duration = Duration::from_hours(24 * 365);

/// Whether another process has the log now.
pub(super) fn is_running(settings: &Settings) -> bool {
    settings.data_dir.exists()
        && matches!(
            DataDir::lock(&settings.data_dir),
            Err(LockError::Held { .. })
        )
}

pub(super) async fn tail(settings: &Settings, arguments: &Arguments) -> anyhow::Result<()> {
    let admin = &settings.admin;
    anyhow::ensure!(
        admin.tls.is_none(),
        "the standalone is running, and its admin listener has TLS: GET /api/v1/tail there with a client that has the \
         certificates, such as curl -N --cacert"
    );
    let url = format!(
        "http://{}/api/v1/tail?{}",
        reachable(admin.listen),
        query(arguments)
    );
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        request: PATIENCE,
    };
    let sent = client(timeouts)?.get(&url).send().await;
    let mut answer = sent.with_context(|| {
        format!(
            "the standalone is running, and its admin listener does not answer at {}",
            admin.listen
        )
    })?;
    let status = answer.status();
    if !status.is_success() {
        let text = answer.text().await.unwrap_or_default();
        anyhow::bail!("the standalone answers {status}: {text}");
    }
    let style = arguments.style();
    if style.format == Format::Table && !put(HEADER)? {
        return Ok(());
    }
    let mut lines = Lines::default();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        let chunk = tokio::select! {
            chunk = answer.chunk() => chunk.context("the standalone has ended")?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = looks.tick() => {
                if is_gone() {
                    return Ok(());
                }
                continue;
            }
        };
        let Some(bytes) = chunk else {
            return Ok(());
        };
        let mut text = String::new();
        // An empty line only says that the other side is there.
        for line in lines.take(&bytes).lines().filter(|line| !line.is_empty()) {
            match style.format {
                Format::Json => text.extend([line, "\n"]),
                Format::Table => row(&mut text, line, style),
            }
        }
        if !text.is_empty() && !put(&text)? {
            return Ok(());
        }
    }
}

fn query(arguments: &Arguments) -> String {
    let chosen = &arguments.chosen;
    let mut query = form_urlencoded::Serializer::new(String::new());
    let all = [
        ("name", &chosen.names),
        ("label", &chosen.labels),
        ("tenant", &chosen.tenants),
    ];
    for (name, values) in all {
        for value in values {
            query.append_pair(name, value);
        }
    }
    if let Some(since) = &arguments.since {
        query.append_pair("since", since);
    }
    if let Some(limit) = arguments.limit {
        query.append_pair("limit", &limit.to_string());
    }
    if arguments.no_follow {
        query.append_pair("follow", "false");
    }
    query.finish()
}

/// A line of JSON as a row of the table.
fn row(text: &mut String, line: &str, style: Style) {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else {
        return;
    };
    let number = |name: &str| value.get(name).and_then(serde_json::Value::as_i64);
    let word = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
    let origin = Origin {
        partition: 0,
        offset: number("offset").unwrap_or(0),
        received_at_ms: number("received_at").unwrap_or(0),
        tenant: word("tenant"),
        sender: word("source"),
    };
    if let Some(why) = word("error") {
        return style.undecodable(text, origin, why);
    }
    let record = Bytes::copy_from_slice(line.as_bytes());
    if let Ok(block) = codec::record::decode(Some(b"application/json"), &record) {
        style.record(text, origin, &block, &Filter::default(), u64::MAX);
    }
}

/// Whole lines of what comes in pieces.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return String::new();
        };
        let rest = self.rest.split_off(end + 1);
        let lines = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&lines).into_owned()
    }
}

#[cfg(test)]
mod tests;
