//! References outside the table are found without comparing each.

use super::may_be_outside;

#[test]
fn a_reference_is_outside_where_a_comparison_says_so() {
    let numbers = [
        0,
        1,
        2,
        7,
        8,
        9,
        1 << 30,
        (1 << 31) - 1,
        1 << 31,
        u32::MAX - 1,
        u32::MAX,
    ];
    let sizes = numbers.map(|number| number as usize);
    for size in sizes.into_iter().chain([1 << 32, usize::MAX]) {
        for first in numbers {
            for second in numbers {
                let refs = [first, 0, second];
                let is_outside = refs.iter().any(|reference| *reference as usize >= size);
                // With more symbols than a record can have it may say so although none is.
                let says = may_be_outside(&refs, size);
                let is_large = size > 1 << 31;
                assert!(
                    says == is_outside || (is_large && says),
                    "{refs:?} of {size}"
                );
            }
        }
    }
    assert!(!may_be_outside(&[], 1));
}
