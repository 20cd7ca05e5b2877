//! How a spread is written.

use super::Spread;

fn parsed(text: &str) -> Result<Spread, String> {
    text.parse()
}

#[test]
fn a_spread_is_a_number_or_a_change_with_its_time() {
    let plain = Spread {
        over: 8,
        change: None,
    };
    assert_eq!(parsed("8"), Ok(plain));
    let change = Spread {
        over: 4,
        change: Some((16, 1_700_000_000_000)),
    };
    let text = "16 to 4 from 2023-11-14T22:13:20Z";
    assert_eq!(parsed(text), Ok(change));
    assert_eq!(change.to_string(), text);
    for spread in [plain, change] {
        let json = serde_json::to_value(spread).unwrap();
        assert_eq!(serde_json::from_value::<Spread>(json).unwrap(), spread);
    }
}

#[test]
fn what_is_no_spread_is_said_to_be_none() {
    let power = |text: &str| format!("{text:?} is not a power of two from 1 to 256");
    for text in ["0", "3", "512", "-1", "many"] {
        assert_eq!(parsed(text), Err(power(text)));
    }
    assert_eq!(parsed("1 to 3 from 2023-11-14T22:13:20Z"), Err(power("3")));
    assert_eq!(
        parsed("1 to 2 from tomorrow"),
        Err("\"tomorrow\" is not a time such as 2030-01-31T12:00:00Z".to_owned())
    );
    assert!(parsed("1 to 2").is_err());
}
