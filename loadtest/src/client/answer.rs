//! An HTTP/1.1 response as far as a load generator reads it.

use std::time::Duration;

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    After(usize),
    Chunked,
    /// The connection's end.
    Close,
}

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub closes: bool,
    pub end: End,
    /// Bytes of the head.
    pub len: usize,
}

/// Reads a head, if all of it is there.
pub(super) fn head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let Some(len) = find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = bytes.get(..len).unwrap_or_default();
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.next().unwrap_or_default();
    let status = std::str::from_utf8(first)
        .ok()
        .filter(|line| line.starts_with("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let Some(status) = status else {
        anyhow::bail!("not HTTP: {:?}", String::from_utf8_lossy(first));
    };
    let mut head = Head {
        status,
        retry_after: None,
        closes: first.starts_with(b"HTTP/1.0"),
        end: match status {
            204 | 304 => End::After(0),
            _ => End::Close,
        },
        len: len + 4,
    };
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        if name.eq_ignore_ascii_case(b"content-length") && status != 204 {
            let len = number().and_then(|len| usize::try_from(len).ok());
            head.end = End::After(len.unwrap_or(0));
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            head.end = End::Chunked;
        } else if name.eq_ignore_ascii_case(b"retry-after") {
            head.retry_after = number().map(Duration::from_secs);
        } else if name.eq_ignore_ascii_case(b"connection") {
            head.closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(head))
}

/// The length of a body whose end is there.
pub(super) fn body_len(end: End, rest: &[u8], is_closed: bool) -> Option<usize> {
    match end {
        End::After(len) => (rest.len() >= len).then_some(len),
        // The last chunk is empty, and nobody sends trailers to a client that did not ask for them.
        End::Chunked => rest.ends_with(b"0\r\n\r\n").then_some(rest.len()),
        End::Close => is_closed.then_some(rest.len()),
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_all_of_it_is_there() {
        let whole =
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\ncontent-Length: 5\r\n\r\nlater";
        for cut in 0..whole.len() {
            let head = head(&whole[..cut]).unwrap();
            let is_done =
                head.is_some_and(|head| body_len(head.end, &whole[head.len..cut], false).is_some());
            assert!(!is_done, "{cut}");
        }
        let head = head(whole).unwrap().unwrap();
        assert_eq!((head.status, head.closes), (503, false));
        assert_eq!(head.retry_after, Some(Duration::from_secs(2)));
        assert_eq!(body_len(head.end, &whole[head.len..], false), Some(5));
    }

    #[test]
    fn a_204_has_no_body_and_other_ends_are_known() {
        let ends = [
            ("HTTP/1.1 204 No Content\r\n\r\n", End::After(0), false),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                End::Chunked,
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
                End::Close,
                true,
            ),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n",
                End::After(3),
                true,
            ),
        ];
        for (text, end, closes) in ends {
            let head = head(text.as_bytes()).unwrap().unwrap();
            assert_eq!((head.end, head.closes), (end, closes), "{text}");
        }
        assert_eq!(body_len(End::Chunked, b"2\r\nok\r\n", false), None);
        assert_eq!(
            body_len(End::Chunked, b"2\r\nok\r\n0\r\n\r\n", false),
            Some(12)
        );
        assert!(head(b"SSH-2.0\r\n\r\n").is_err());
    }
}
