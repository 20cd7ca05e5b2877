//! What is taken is given back, and the limit is never passed.

use super::{Full, Permits};

#[test]
fn a_permit_grows_up_to_the_limit_and_gives_all_back() {
    let permits = Permits::new(100);
    let mut first = permits.empty();
    first.grow(60).unwrap();
    first.grow_to(80).unwrap();
    first.grow_to(10).unwrap();
    assert_eq!(permits.used_bytes(), 80);
    let mut second = permits.empty();
    assert_eq!(
        second.grow(21),
        Err(Full {
            used_bytes: 80,
            limit_bytes: 100,
            wanted_bytes: 21
        })
    );
    second.grow(20).unwrap();
    drop(first);
    assert_eq!(permits.used_bytes(), 20);
    drop(second);
    assert_eq!(permits.used_bytes(), 0);
}

#[test]
fn a_size_beyond_all_numbers_is_refused_and_not_wrapped_around() {
    let permits = Permits::new(100);
    let mut permit = permits.empty();
    permit.grow(1).unwrap();
    assert!(permit.grow(usize::MAX).is_err());
    assert_eq!(permits.used_bytes(), 1);
}
