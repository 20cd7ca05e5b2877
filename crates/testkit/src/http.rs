//! HTTP in plain sight: for asking a server's API from a test without a client's own opinions.
//!
//! One request per connection, HTTP/1.0 so that the answer ends with it, nothing decompressed,
//! nothing followed, nothing retried.

use std::{
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

const TIMEOUT: Duration = Duration::from_secs(60);

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body's bytes as they came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Sends one request to `port` of 127.0.0.1.
///
/// # Errors
///
/// When nobody answers, or not in HTTP.
pub fn request(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut head = format!("{method} {target} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap_or_default();
    }
    write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap_or_default();
    stream.write_all(head.as_bytes())?;
    // A server may answer, and close, before it has read a body that it refuses.
    let sent = stream.write_all(body);
    let mut bytes = Vec::new();
    let received = stream.read_to_end(&mut bytes);
    parse(&bytes).ok_or_else(|| {
        let text = String::from_utf8_lossy(&bytes);
        let why = format!("not an HTTP answer: {text:?} (sent: {sent:?}, received: {received:?})");
        io::Error::new(io::ErrorKind::InvalidData, why)
    })
}

/// GET from `port` of 127.0.0.1.
///
/// # Errors
///
/// When nobody answers, or not in HTTP.
pub fn get(port: u16, target: &str) -> io::Result<Answer> {
    request(port, "GET", target, &[], b"")
}

/// A path and its query, percent-encoded.
#[must_use]
pub fn target(path: &str, query: &[(&str, &str)]) -> String {
    let mut target = path.to_owned();
    for (index, (name, value)) in query.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        encode(&mut target, name);
        target.push('=');
        encode(&mut target, value);
    }
    target
}

fn encode(target: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            target.push(char::from(byte));
        } else {
            write!(target, "%{byte:02X}").unwrap_or_default();
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: bytes.get(end + 4..)?.to_vec(),
    };
    if let Some(length) = answer.header("content-length") {
        // A body that was cut off is not an answer.
        let length: usize = length.parse().ok()?;
        answer.body.truncate(length);
        (answer.body.len() == length).then_some(())?;
    }
    Some(answer)
}
