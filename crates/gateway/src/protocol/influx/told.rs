//! Bad lines as an answer tells them: number, reason, and the line itself.

use model::Code;

use crate::refusals::Refusals;

/// How much of a line an answer repeats, in characters.
const LINE_CHARS: usize = 100;

#[derive(Debug, serde::Serialize)]
pub(crate) struct BadLine {
    #[serde(rename = "error_message")]
    pub(super) reason: String,
    /// From 1, as editors count.
    #[serde(rename = "line_number")]
    pub(super) number: u64,
    #[serde(rename = "original_line", skip_serializing_if = "String::is_empty")]
    pub(super) text: String,
    #[serde(skip)]
    is_unreadable: bool,
}

/// The refused lines that an answer lists, with their text from the body.
pub(super) fn bad_lines(refusals: &Refusals, body: &[u8]) -> Vec<BadLine> {
    let mut lines = body.split(|byte| *byte == b'\n').enumerate();
    let of_told = |told: crate::refusals::Told<'_>| {
        let number = told.index as usize;
        // Refusals are in the order of their lines, so that the body is gone through once.
        let line = lines.by_ref().find(|(at, _)| *at >= number);
        let text = line.map_or(&[][..], |(_, line)| line);
        let is_unreadable = [
            Code::SampleInvalid,
            Code::ValueInvalid,
            Code::ValueMissing,
            Code::TimestampInvalid,
        ]
        .iter()
        .any(|code| code.as_str() == told.code);
        BadLine {
            reason: told.message.to_owned(),
            number: u64::from(told.index) + 1,
            text: shortened(text),
            is_unreadable,
        }
    };
    refusals.told().into_iter().map(of_told).collect()
}

/// All of them in one text, as versions 1 and 2 have it. Telegraf drops a batch where it finds `partial write`, and
/// sends it again for ever where it does not.
pub(super) fn sentence(refusals: &Refusals, lines: &[BadLine]) -> String {
    let mut parts: Vec<String> = lines.iter().map(BadLine::sentence).collect();
    if refusals.omitted() > 0 {
        parts.push(format!("and {} lines more", refusals.omitted()));
    }
    format!(
        "partial write: {} dropped={}",
        parts.join("\n"),
        refusals.refused()
    )
}

impl BadLine {
    fn sentence(&self) -> String {
        let what = if self.is_unreadable {
            "unable to parse"
        } else {
            "refused"
        };
        format!(
            "line {}: {what} '{}': {}",
            self.number, self.text, self.reason
        )
    }
}

fn shortened(line: &[u8]) -> String {
    let start = line.get(..LINE_CHARS * 4).unwrap_or(line);
    let text = String::from_utf8_lossy(start);
    let text = text.trim();
    match text.char_indices().nth(LINE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
