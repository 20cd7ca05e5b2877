//! What else comes from outside: StatsD's streams, the Pushgateway's paths and shared groups, stores' answers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// However a stream is cut into pieces, its packets are the same. The first byte says into how long ones.
pub(crate) fn statsd_stream(data: &[u8]) {
    let Some((&size, stream)) = data.split_first() else {
        return;
    };
    let whole = gateway::fuzzing::packets_of([stream]);
    let size = usize::from(size).max(1);
    let pieces = gateway::fuzzing::packets_of(stream.chunks(size));
    // What comes behind a broken frame is not read any further, so a smaller part of it is seen in pieces.
    if whole.1.is_empty() || pieces.1.is_empty() {
        assert_eq!(whole, pieces);
    }
}

/// A path of the Pushgateway's API, or (behind a NUL) a group in the shared table.
pub(crate) fn pushgateway(data: &[u8]) {
    if let Some(([0], group)) = data.split_first_chunk::<1>() {
        let _is_read = gateway::fuzzing::shared_group(&Bytes::from_static(b"key"), group);
        return;
    }
    let path = String::from_utf8_lossy(data);
    if let Ok(labels) = gateway::fuzzing::group_labels(&path) {
        let job = labels.iter().find(|(name, _)| name == "job");
        assert!(job.is_some_and(|(_, value)| !value.is_empty()));
        let bytes: usize = labels
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        assert!(bytes <= path.len());
    }
}

/// A store's answer: its status, headers, an empty line, and what it says.
pub(crate) fn store_answer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (head, words) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.parse::<u16>().ok());
    let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) else {
        return;
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let is_written = store::fuzzing::answer(status, &headers, words);
    assert!(!is_written || status.is_success());
    store::fuzzing::meanings(status, &headers, words);
}
