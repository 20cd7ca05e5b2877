//! What is found again of bodies, and what is left out.

use super::{Part, elements, lines, series};
use crate::protobuf::{Reader, put_bytes};

fn texts(parts: Vec<Part<'_>>) -> Vec<(u32, String)> {
    parts
        .into_iter()
        .map(|(index, bytes)| (index, String::from_utf8(bytes.to_vec()).unwrap()))
        .collect()
}

fn owned(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    expected
        .iter()
        .map(|(index, text)| (*index, (*text).to_owned()))
        .collect()
}

#[test]
fn lines_are_found_by_their_number_without_their_ends() {
    let body = b"zero\none\r\n\nthree";
    let found = texts(lines(body, &[0, 1, 3, 9]));
    assert_eq!(found, owned(&[(0, "zero"), (1, "one"), (3, "three")]));
}

#[test]
fn elements_are_found_as_they_were_written_wherever_the_array_stands() {
    let body = br#"{"host": {"metrics": 1}, "metrics": [ {"a":1}, 7 , {"b": [1, 2]} ], "z": 1}"#;
    let expected = owned(&[(1, "7"), (2, r#"{"b": [1, 2]}"#)]);
    assert_eq!(texts(elements(body, &[1, 2, 5])), expected);
    let body = br#"[{"a":1},7,{"b": [1, 2]}]"#;
    assert_eq!(texts(elements(body, &[1, 2, 5])), expected);
}

#[test]
fn what_stands_before_a_mistake_is_found() {
    let body = br#"{"metrics":[{"a":1},{"b":2},{"c""#;
    assert_eq!(texts(elements(body, &[1, 2])), owned(&[(1, r#"{"b":2}"#)]));
    for body in ["", "7", "{", "{\"metrics\":7}", "\u{feff}[]"] {
        assert_eq!(elements(body.as_bytes(), &[0]), []);
    }
}

#[test]
fn only_the_first_mebibyte_is_looked_through() {
    let mut body = vec![b'x'; 1 << 20];
    body.extend(b"\nlast");
    assert_eq!(lines(&body, &[1]), []);
    let body = format!("[\"{}\",1]", "x".repeat(1 << 20));
    assert_eq!(elements(body.as_bytes(), &[1]), []);
}

#[test]
fn a_series_is_found_by_any_of_its_samples_and_is_a_request_by_itself() {
    let mut body = Vec::new();
    for name in ["first", "second"] {
        let mut label = Vec::new();
        put_bytes(&mut label, 1, b"__name__");
        put_bytes(&mut label, 2, name.as_bytes());
        let mut content = Vec::new();
        put_bytes(&mut content, 1, &label);
        put_bytes(&mut content, 2, b"");
        put_bytes(&mut content, 2, b"");
        put_bytes(&mut body, 1, &content);
        // Metadata between series has no samples.
        put_bytes(&mut body, 3, b"");
    }
    let found = series(&body, &[1, 2, 3, 4]);
    let indices: Vec<u32> = found.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, [1, 2, 3]);
    for ((_, bytes), name) in found.into_iter().zip(["first", "second", "second"]) {
        let mut reader = Reader(bytes);
        let (field, content) = reader.field().unwrap().unwrap();
        assert_eq!(field, 1);
        let content = String::from_utf8_lossy(content.bytes().unwrap()).into_owned();
        assert!(content.contains(name), "{content}");
        assert!(reader.0.is_empty());
    }
}
