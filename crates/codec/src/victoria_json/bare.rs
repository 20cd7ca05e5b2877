//! Infinities without quotes, as `VictoriaMetrics` 1.79 exports them, although JSON has none.

const WORDS: [&str; 4] = ["+Inf", "-Inf", "Inf", "NaN"];

/// The line with quotes around them; `None` when it has none.
pub(super) fn quoted(line: &str) -> Option<String> {
    let mut output = String::new();
    let (mut rest, mut copied) = (line, line);
    let mut is_text = false;
    while let Some(at) = rest.find(['"', '\\', '+', '-', 'I', 'N']) {
        let (_, found) = rest.split_at(at);
        let mut after = found.get(1..).unwrap_or_default();
        match found.as_bytes().first() {
            Some(b'"') => is_text = !is_text,
            // What follows is no end of the text.
            Some(b'\\') if is_text => {
                let mut characters = after.chars();
                characters.next();
                after = characters.as_str();
            }
            _ if is_text => {}
            _ => {
                if let Some(word) = WORDS.iter().find(|word| found.starts_with(*word)) {
                    let before = copied.len() - found.len();
                    output.push_str(copied.get(..before).unwrap_or_default());
                    output.extend(["\"", word, "\""]);
                    after = found.get(word.len()..).unwrap_or_default();
                    copied = after;
                }
            }
        }
        rest = after;
    }
    if output.is_empty() {
        return None;
    }
    output.push_str(copied);
    Some(output)
}
