//! Plain decimal numbers, which is what senders write: read without looking at anything else.
//!
//! Whatever is not plain is for the parsers; a number that is read here is the one that they read.

/// 10^22 is the largest power of ten that a 64-bit float holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// As many digits as fit into 64 bits, whichever they are.
pub(crate) const MOST_DIGITS: usize = 19;

/// A whole number of up to 15 digits without a sign, and what is behind it.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<(i64, &[u8])> {
    whole(text, 15)
}

/// A whole number of at most so many digits, and not more than [`MOST_DIGITS`], without a sign, and what is behind it.
#[inline]
pub(crate) fn whole(text: &[u8], most_digits: usize) -> Option<(i64, &[u8])> {
    let (number, digits, rest) = digits(text, 0);
    let has_zero = digits > 1 && text.first() == Some(&b'0');
    if digits == 0 || digits > most_digits.min(MOST_DIGITS) || has_zero {
        return None;
    }
    Some((i64::try_from(number).ok()?, rest))
}

/// A number without an exponent, and what is behind it.
#[inline]
pub(crate) fn number(text: &[u8]) -> Option<(f64, &[u8])> {
    let (is_negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, whole_digits, mut rest) = digits(unsigned, 0);
    let has_zero = whole_digits > 1 && unsigned.first() == Some(&b'0');
    if whole_digits == 0 || has_zero {
        return None;
    }
    let (mut mantissa, mut fraction_digits) = (whole, 0);
    if let [b'.', fraction @ ..] = rest {
        (mantissa, fraction_digits, rest) = digits(fraction, whole);
        if fraction_digits == 0 {
            return None;
        }
    }
    if let [b'e' | b'E', ..] = rest {
        return None;
    }
    let is_exact = whole_digits + fraction_digits <= MOST_DIGITS && mantissa <= 1 << 53;
    let number = match POWERS.get(fraction_digits) {
        // Both are exact, so that the quotient is the nearest float: Clinger's fast path.
        #[expect(clippy::cast_precision_loss, reason = "not more than 2^53")]
        Some(power) if is_exact => mantissa as f64 / power,
        _ => {
            let written = unsigned.get(..unsigned.len() - rest.len())?;
            let number: f64 = std::str::from_utf8(written).ok()?.parse().ok()?;
            number.is_finite().then_some(number)?
        }
    };
    Some((if is_negative { -number } else { number }, rest))
}

/// The digits that a text begins with, behind those of `number`; how many there are; and the rest. Of more digits
/// than [`MOST_DIGITS`] the number means nothing.
#[inline]
fn digits(text: &[u8], mut number: u64) -> (u64, usize, &[u8]) {
    let mut rest = text;
    while let Some(eight) = rest.first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let count = leading_digits(word);
        let Some(scale) = SCALES.get(count) else {
            break;
        };
        if count > 0 {
            // The digits to the end of the word, zeros before them.
            let value = eight_digits(word << (64 - 8 * count));
            number = number.wrapping_mul(*scale).wrapping_add(value);
        }
        rest = rest.get(count..).unwrap_or_default();
        if count < 8 {
            return (number, text.len() - rest.len(), rest);
        }
    }
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        number = number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        rest = behind;
    }
    (number, text.len() - rest.len(), rest)
}

/// Powers of ten by the number of digits of a word.
const SCALES: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// How many of eight characters are digits before one is none; the first is in the lowest byte.
#[inline]
fn leading_digits(word: u64) -> usize {
    let from_zero = word ^ 0x3030_3030_3030_3030;
    // Digits are 0 to 9 now. Anything else gets a high bit, and may carry into what is behind it, not before.
    let others =
        (from_zero.wrapping_add(0x7676_7676_7676_7676) | from_zero) & 0x8080_8080_8080_8080;
    others.trailing_zeros() as usize / 8
}

/// The number that eight characters make, the first of them in the lowest byte. Zero bytes are zeros.
#[inline]
fn eight_digits(word: u64) -> u64 {
    // Neighbours to pairs, pairs to fours, fours to one.
    let pairs = (word & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(2561) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(6_553_601) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul(42_949_672_960_001) >> 32
}

#[cfg(test)]
mod tests;
