//! Whether short texts are the same, without a call: most of those that are compared have a dozen bytes.

/// Whether two texts are the same. Long ones are left to `memcmp`, empty ones never: at an empty slice's address, which
/// is none, it costs some processors a hundred nanoseconds.
#[inline(always)]
pub(crate) fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        33.. => a == b,
        16.. => ends::<16>(a) == ends(b),
        8.. => ends::<8>(a) == ends(b),
        4.. => ends::<4>(a) == ends(b),
        _ => a.iter().eq(b),
    }
}

/// Whether a text begins with another one.
#[inline(always)]
pub(crate) fn begins_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len())
        .is_some_and(|begin| is_same(begin, start))
}

/// The first bytes and the last ones, which overlap.
#[inline(always)]
fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    text.first_chunk().zip(text.last_chunk())
}

#[cfg(test)]
mod tests;
