//! Values that are never used twice, and the way back from a value to its place in the sequence.
//!
//! A sample is found again by its value alone. The sequence itself would compress like no measured
//! value does, so its low 20 bits are shuffled: a value looks like a reading of six digits on top of
//! a slow counter, and is still a whole number that a 64-bit float holds exactly.

/// What every value has added, so that all have the same number of digits.
const BASE: u64 = 10_000_000_000_000;
/// The first number of the sequence that has no value.
/// A multiple of what is shuffled, or the shuffle would reach beyond it.
pub(crate) const END: u64 = (BASE * 9) & !MASK;
/// Digits of a value.
pub(crate) const DIGITS: usize = 14;

const BITS: u32 = 20;
const MASK: u64 = (1 << BITS) - 1;
/// Odd, so that multiplying by it only shuffles.
const FACTOR: u64 = 0x9_e375;
/// `FACTOR * INVERSE` is 1 in 20 bits.
const INVERSE: u64 = inverse();

const fn inverse() -> u64 {
    // Newton's iteration doubles the bits that are right.
    let (mut found, mut round) = (1_u64, 0);
    while round < 6 {
        found = found.wrapping_mul(2_u64.wrapping_sub(FACTOR.wrapping_mul(found)));
        round += 1;
    }
    found & MASK
}

/// The value at this place of the sequence.
pub(crate) const fn value(place: u64) -> u64 {
    let mixed = (place & MASK).wrapping_mul(FACTOR) & MASK;
    BASE + ((place & !MASK) | (mixed ^ (mixed >> (BITS / 2))))
}

/// The place of a value; `None` for what is no value of ours.
pub(crate) fn place(value: f64) -> Option<u64> {
    let in_range = (BASE as f64..(BASE + END) as f64).contains(&value);
    if !in_range || value.fract() != 0.0 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number in the range above"
    )]
    let number = value as u64 - BASE;
    let mixed = number & MASK;
    let mixed = mixed ^ (mixed >> (BITS / 2));
    Some((number & !MASK) | (mixed.wrapping_mul(INVERSE) & MASK))
}

/// Writes a number's last decimal digits, as many as there is room for.
pub(crate) fn write_digits(into: &mut [u8], mut number: u64) {
    let mut pairs = into.rchunks_exact_mut(2);
    for pair in pairs.by_ref() {
        let at = (number % 100) as usize * 2;
        number /= 100;
        if let Some(digits) = PAIRS.get(at..at + 2) {
            pair.copy_from_slice(digits);
        }
    }
    if let [first] = pairs.into_remainder() {
        *first = b'0' + (number % 10) as u8;
    }
}

/// `00` to `99`.
static PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize * 2] = b'0' + number / 10;
        pairs[number as usize * 2 + 1] = b'0' + number % 10;
        number += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::{DIGITS, END, place, value, write_digits};

    #[test]
    fn every_place_has_a_value_of_its_own_and_is_found_by_it() {
        let places = (0..3 << 20).chain(END - 1000..END);
        let mut seen = std::collections::HashSet::new();
        for number in places {
            let value = value(number);
            assert_eq!(value.to_string().len(), DIGITS);
            assert!(seen.insert(value));
            assert_eq!(place(value as f64), Some(number));
        }
    }

    #[test]
    fn other_values_have_no_place() {
        for other in [0.0, 1.0, 42.5, 1e13 + 0.5, 1e15, f64::NAN, f64::INFINITY] {
            assert_eq!(place(other), None);
        }
    }

    #[test]
    fn digits_fill_their_room() {
        for (number, text) in [(7, "0007"), (12_345, "2345"), (9876, "9876")] {
            let mut room = [b'x'; 4];
            write_digits(&mut room, number);
            assert_eq!(room, text.as_bytes());
        }
        let mut odd = [b'x'; 5];
        write_digits(&mut odd, 12_345);
        assert_eq!(&odd, b"12345");
    }
}
