//! What a query may say.

use super::parsed;

#[test]
fn a_limit_is_a_number_within_bounds_and_nothing_else_is_asked_for() {
    assert_eq!(parsed(""), Ok(20));
    assert_eq!(parsed("limit=1000"), Ok(1000));
    for (query, why) in [
        ("limit=0", "limit=0 is not a number from 1 to 1000"),
        ("limit=many", "limit=many is not a number from 1 to 1000"),
        ("limit=1001", "limit=1001 is not a number from 1 to 1000"),
        ("most=5", "unknown parameter \"most\"; known is limit"),
    ] {
        assert_eq!(parsed(query).unwrap_err(), why);
    }
}
