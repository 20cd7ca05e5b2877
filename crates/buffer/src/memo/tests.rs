//! One reader makes it, the others get it, and nothing is kept alive.

use std::sync::Arc;

use super::{Claim, Memo};

#[test]
fn what_one_reader_made_the_other_gets() {
    let memo = Memo::shared();
    assert!(matches!(memo.clone().claim::<String>(), Claim::Yours));
    assert!(matches!(memo.claim::<String>(), Claim::Foreign));
    let made = Arc::new("decoded".to_owned());
    memo.made(&made);
    let Claim::Made(found) = memo.clone().claim::<String>() else {
        panic!("it was made");
    };
    assert!(Arc::ptr_eq(&found, &made));
}

#[test]
fn what_everybody_dropped_is_made_again() {
    let memo = Memo::shared();
    assert!(matches!(memo.claim::<String>(), Claim::Yours));
    memo.made(&Arc::new("decoded".to_owned()));
    assert!(matches!(memo.claim::<String>(), Claim::Yours));
}

#[test]
fn a_memo_of_nobody_else_remembers_nothing() {
    let memo = Memo::default();
    let made = Arc::new(1_u8);
    memo.made(&made);
    assert!(matches!(memo.claim::<u8>(), Claim::Yours));
    assert!(matches!(memo.claim::<u8>(), Claim::Yours));
}
