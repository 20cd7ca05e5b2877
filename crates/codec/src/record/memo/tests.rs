//! Every text keeps its symbol, however many there are.

use super::Memo;

#[test]
fn texts_keep_their_symbols_as_the_table_grows_whatever_their_numbers() {
    // Neighbours, and numbers that want the same slot of any small table.
    let texts = || (0..300).chain((1..300).map(|number| number << 12));
    let mut memo = Memo::new(0x1234_5678_9abc_def1);
    let mut made = 0;
    for round in 0..2 {
        for (symbol, text) in (0_u32..).zip(texts()) {
            let found = memo.symbol_of(text, |_| {
                made += 1;
                symbol
            });
            assert_eq!(found, symbol, "text {text} in round {round}");
        }
    }
    assert_eq!(made, texts().count());
}

#[test]
fn another_generation_has_other_texts() {
    let mut memo = Memo::new(0);
    memo.symbol_of(7, |_| 1);
    assert!(memo.follow(0));
    assert_eq!(memo.symbol_of(7, |_| 2), 1);
    assert!(!memo.follow(1));
    assert_eq!(memo.symbol_of(7, |_| 2), 2);
    assert!(memo.read(&[7, 8, 9], |text| text));
    assert!(!memo.read(&[7, 8, 9], |_| 0));
    assert_eq!(memo.last(1), (&[(7, 2)][..], &[(8, 8), (9, 9)][..]));
}
