//! Text expositions by a reader that trusts them: borrowed strings and numbers, and nothing can be wrong.
//!
//! No library is faster: those for this format build owned maps. So this is what finding the same parts costs.

/// The samples of a body: name, end of the labels, value, time.
pub(super) struct Trusted<'a> {
    pub(super) labels: Vec<(&'a str, &'a str)>,
    pub(super) samples: Vec<(&'a str, usize, f64, i64)>,
}

/// Reads a body, or gives up at the first surprise.
pub(super) fn trusted(body: &str) -> Option<Trusted<'_>> {
    let mut read = Trusted {
        labels: Vec::with_capacity(4000),
        samples: Vec::with_capacity(1000),
    };
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', body.as_bytes()) {
        let line = body.get(start..end)?;
        start = end + 1;
        if line.starts_with('#') {
            continue;
        }
        let open = memchr::memchr(b'{', line.as_bytes())?;
        let mut rest = line.get(open + 1..)?;
        while !rest.starts_with('}') {
            let equal = memchr::memchr(b'=', rest.as_bytes())?;
            let value = rest.get(equal + 2..)?;
            let quote = memchr::memchr(b'"', value.as_bytes())?;
            read.labels.push((rest.get(..equal)?, value.get(..quote)?));
            rest = value.get(quote + 1..)?;
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        let (value, at_ms) = rest.get(2..)?.split_once(' ')?;
        let (value, at_ms) = (value.parse().ok()?, at_ms.parse().ok()?);
        read.samples
            .push((line.get(..open)?, read.labels.len(), value, at_ms));
    }
    Some(read)
}
