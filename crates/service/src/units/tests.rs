//! A unit is required and kept.

use super::{Period, Size};

fn check<T: std::str::FromStr<Err = String> + ToString>(text: &str, expected: Result<&str, &str>) {
    let parsed = text.parse::<T>().map(|value| value.to_string());
    assert_eq!(
        parsed.as_ref().map(String::as_str).map_err(String::as_str),
        expected
    );
}

#[test]
fn durations_have_units() {
    check::<Period>("250ms", Ok("250ms"));
    check::<Period>("24h", Ok("24h"));
    check::<Period>("30", Err("\"30\" has no unit; write 30s or 30ms"));
    check::<Period>(
        "fast",
        Err("\"fast\" is not a duration such as 250ms, 10s or 24h"),
    );
}

#[test]
fn sizes_have_units() {
    check::<Size>("16MiB", Ok("16MiB"));
    check::<Size>("1500 KB", Ok("1500000B"));
    check::<Size>("8", Err("\"8\" has no unit; write 8B or 8MiB"));
    check::<Size>(
        "99999999999TiB",
        Err("\"99999999999TiB\" is not a size such as 512KiB, 16MiB or 1GiB"),
    );
}
