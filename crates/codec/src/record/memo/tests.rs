//! Every text keeps its symbol, however many there are.

use super::{FEWEST_SLOTS, MOST_SYMBOLS, Memo};

#[test]
fn texts_keep_their_symbols_as_the_table_grows_whatever_their_numbers() {
    // Neighbours, and numbers that want the same slot of any small table.
    let texts = || (0..300).chain((1..300).map(|number| number << 12));
    let mut memo = Memo::new(0x1234_5678_9abc_def1);
    let mut made = 0;
    for round in 0..2 {
        for (symbol, text) in (0_u32..).zip(texts()) {
            let found = memo.table.symbol_of(text, |_| {
                made += 1;
                symbol
            });
            assert_eq!(found, symbol, "text {text} in round {round}");
        }
    }
    assert_eq!(made, texts().count());
}

#[test]
fn what_was_forgotten_does_not_come_back_however_often_it_is_and_however_many_texts_there_were() {
    let mut memo = Memo::new(0x1234_5678_9abc_def1);
    // More often than there are marks for it, with tables that grow and shrink.
    for round in 0_u32..1000 {
        let texts = if round % 100 == 7 {
            2000
        } else {
            1 + round % 40
        };
        for text in 0..texts {
            let symbol = round + text;
            assert_eq!(
                memo.table.symbol_of(text, |_| symbol),
                symbol,
                "in round {round}"
            );
        }
        for text in 0..texts {
            assert_eq!(memo.table.symbol_of(text, |_| u32::MAX), round + text);
        }
        memo.clear();
    }
    assert!(memo.table.slots.len() <= 2 * FEWEST_SLOTS);
}

#[test]
fn symbols_that_are_too_large_to_be_remembered_are_made_again() {
    let mut memo = Memo::new(0);
    assert_eq!(memo.table.symbol_of(7, |_| MOST_SYMBOLS), MOST_SYMBOLS);
    assert_eq!(memo.table.symbol_of(7, |_| 5), 5);
    assert_eq!(memo.table.symbol_of(7, |_| 6), 5);
    let last = MOST_SYMBOLS - 1;
    assert_eq!(memo.table.symbol_of(8, |_| last), last);
    assert_eq!(memo.table.symbol_of(8, |_| 6), last);
}

#[test]
fn another_generation_has_other_texts() {
    let mut memo = Memo::new(0);
    memo.table.symbol_of(7, |_| 1);
    assert!(memo.follow(0));
    assert_eq!(memo.table.symbol_of(7, |_| 2), 1);
    assert!(!memo.follow(1));
    assert_eq!(memo.table.symbol_of(7, |_| 2), 2);
    assert!(memo.read(&[7, 8, 9], |text| text));
    assert!(!memo.read(&[7, 8, 9], |_| 0));
    assert_eq!(memo.last(1), (&[(7, 2)][..], &[(8, 8), (9, 9)][..]));
}
