//! Texts of every length are compared whole.

use super::{begins_with, is_same};

#[test]
fn texts_of_any_length_are_the_same_when_each_byte_is() {
    for length in 0..70 {
        let text: Vec<u8> = (0..length).collect();
        assert!(is_same(&text, &text.clone()), "{length}");
        let mut longer = text.clone();
        longer.push(0);
        assert!(!is_same(&text, &longer), "{length}");
        assert!(begins_with(&longer, &text), "{length}");
        assert!(!begins_with(&text, &longer), "{length}");
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 0x80;
            assert!(!is_same(&text, &other), "{length}, {at}");
            assert!(!begins_with(&longer, &other), "{length}, {at}");
        }
    }
}
