//! The lines of StatsD, of DogStatsD's documentation and of other readers' tests, and what each means here.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Found, Kind, decode};

/// Everything that a packet says, in one line.
fn read(packet: &[u8]) -> String {
    let mut said = Vec::new();
    decode(packet, |_, found| said.push(show(&found)));
    said.join("; ")
}

fn show(found: &Found<'_>) -> String {
    let sample = match found {
        Found::Sample(sample) => sample,
        Found::Ignored(what) => return format!("ignored {}", what.as_str()),
        Found::Bad(reason) => return format!("bad {}", reason.as_str()),
    };
    let mut text = format!("{:?} {}", sample.reading.kind, sample.name);
    for (name, value) in sample.tags.iter() {
        write!(text, " {name}={value}").unwrap();
    }
    if sample.reading.kind == Kind::Set {
        write!(text, " {:?}", sample.reading.text).unwrap();
    } else {
        for number in sample.reading.numbers() {
            let sign = if number.is_signed { "~" } else { "" };
            write!(text, " {sign}{}", number.value).unwrap();
        }
    }
    if sample.reading.rate < 1.0 {
        write!(text, " @{}", sample.reading.rate).unwrap();
    }
    if let Some(at_s) = sample.at_s {
        write!(text, " at {at_s}").unwrap();
    }
    text
}

fn check(cases: &[(&str, &str)]) {
    for (packet, meaning) in cases {
        assert_eq!(read(packet.as_bytes()), *meaning, "{packet:?}");
    }
}

#[test]
fn each_type_is_read() {
    check(&[
        ("", ""),
        ("foo:2|c", "Counter foo 2"),
        ("foo:2.5|c|@0.1", "Counter foo 2.5 @0.1"),
        ("foo:-2|c", "Counter foo ~-2"),
        ("foo:3|g", "Gauge foo 3"),
        ("foo:3|g|@0.2", "Gauge foo 3 @0.2"),
        ("foo:-10|g", "Gauge foo ~-10"),
        ("foo:+10|g", "Gauge foo ~10"),
        ("foo:200|ms", "Timer foo 200"),
        ("foo:0.5|ms|@0.1", "Timer foo 0.5 @0.1"),
        ("foo:200|h", "Histogram foo 200"),
        ("foo:2e3|d", "Distribution foo 2000"),
        ("foo:3|m", "Meter foo 3"),
        ("users.uniques:765|s", "Set users.uniques \"765\""),
        ("users.uniques:a:b c|s", "Set users.uniques \"a:b c\""),
    ]);
}

#[test]
fn a_packet_has_many_lines() {
    check(&[
        ("foo:1|c\nbar:2|g\n", "Counter foo 1; Gauge bar 2"),
        ("\n\r\nfoo:1|c\r\n", "Counter foo 1"),
        (
            "foo:1|c\nbad\nbar:1|c",
            "Counter foo 1; bad no_value; Counter bar 1",
        ),
        (
            "gaugor:333|g\ngaugor:-10|g\ngaugor:+4|g",
            "Gauge gaugor 333; Gauge gaugor ~-10; Gauge gaugor ~4",
        ),
    ]);
}

#[test]
fn a_line_may_repeat_value_and_type() {
    check(&[
        (
            "foo:200|ms:300|ms:5|c|@0.1:6|g\nbar:1|c:5|ms",
            "Timer foo 200; Timer foo 300; Counter foo 5 @0.1; Gauge foo 6; Counter bar 1; Timer bar 5",
        ),
        ("foo:1|c:bad|c", "Counter foo 1; bad value_invalid"),
    ]);
}

#[test]
fn values_are_packed() {
    check(&[
        ("t:0.5:120:3000|ms|#a:b", "Timer t a=b 0.5 120 3000"),
        ("t:1:2|d|@0.5", "Distribution t 1 2 @0.5"),
        ("t:1:2|h", "Histogram t 1 2"),
        ("t:1:2|c", "Counter t 1 2"),
        ("t:1:-2|g", "Gauge t 1 ~-2"),
        ("t:1:|h", "bad value_invalid"),
        ("t::1|h", "bad value_invalid"),
        ("t:1:x|h", "bad value_invalid"),
    ]);
}

#[test]
fn tags_are_read_in_every_dialect() {
    check(&[
        (
            "foo:1|c|#tag1:bar,tag2:baz",
            "Counter foo tag1=bar tag2=baz 1",
        ),
        (
            "foo:1|c|#tag1:bar,#tag2:baz",
            "Counter foo tag1=bar tag2=baz 1",
        ),
        ("foo:1|c|@0.1|#tag1:a:b", "Counter foo tag1=a:b 1 @0.1"),
        ("foo:1|c|#tag1:a|@0.1", "Counter foo tag1=a 1 @0.1"),
        (
            "foo:1|c|#urgent,tag:value,,",
            "Counter foo urgent=true tag=value 1",
        ),
        ("foo:1|c|#empty:,:nameless", "Counter foo empty=true 1"),
        ("foo:1|c|#", "Counter foo 1"),
        (
            "foo,tag1=bar,tag2=baz:1|c",
            "Counter foo tag1=bar tag2=baz 1",
        ),
        (
            "foo;tag1=bar;tag2=baz:1|c",
            "Counter foo tag1=bar tag2=baz 1",
        ),
        (
            "foo#tag1=bar,tag2=baz:1|c",
            "Counter foo tag1=bar tag2=baz 1",
        ),
        (
            "foo.[tag1=bar,tag2=baz]test:1|c",
            "Counter foo.test tag1=bar tag2=baz 1",
        ),
        ("foo.test[tag1=bar]:1|c", "Counter foo.test tag1=bar 1"),
        ("[tag1=bar]foo.test:1|c", "Counter foo.test tag1=bar 1"),
        ("foo.[]test:1|c", "Counter foo.test 1"),
        ("[tag1=bar,foo.test:1|c", "Counter [tag1=bar,foo.test 1"),
        ("foo,a=1:1|c|#b:2", "Counter foo a=1 b=2 1"),
        ("föö:1|c|#stadt:köln", "Counter föö stadt=köln 1"),
    ]);
}

#[test]
fn later_sections_of_dogstatsd_are_read_or_passed_over() {
    check(&[
        (
            "page.views:15|c|#env:dev|T1656581400",
            "Counter page.views env=dev 15 at 1656581400",
        ),
        ("temp:98.6|g|T1656581400", "Gauge temp 98.6 at 1656581400"),
        ("t:1|ms|T1656581400", "Timer t 1"),
        (
            "r:9|c|@0.1|#s:web|c:abc123|T1656581400",
            "Counter r s=web 9 @0.1 at 1656581400",
        ),
        (
            "foo:100|c|c:83c0a99c0a54c0c187f461c7980e9b57f3f6a8b0c918c8d93df19a9de6f3fe1d",
            "Counter foo 100",
        ),
        (
            "foo:100|c|#a:b|c:sha256:abcd|e:it-false,cn-x|card:low",
            "Counter foo a=b 100",
        ),
        ("foo:100|c|later:anything", "Counter foo 100"),
        ("foo:100|c|Tnot-a-ts", "bad timestamp_invalid"),
        ("foo:100|c|T", "bad timestamp_invalid"),
        ("foo:100|c|T0", "bad timestamp_invalid"),
        ("foo:100|c|T99999999999999999999", "bad timestamp_invalid"),
        ("foo:100|c|#a:b|c", "bad section_invalid"),
    ]);
}

#[test]
fn events_and_service_checks_are_no_metrics() {
    check(&[
        (
            "_e{21,36}:An exception occurred|Cannot parse CSV file from 10.0.0.17|t:warning|#err_type:bad_file",
            "ignored event",
        ),
        (
            "_sc|Redis connection|2|#env:dev|m:Redis connection timed out after 10s",
            "ignored service_check",
        ),
        ("_e{1,1}:a|b\nfoo:1|c", "ignored event; Counter foo 1"),
        ("_elapsed:1|ms", "Timer _elapsed 1"),
    ]);
}

#[test]
fn what_cannot_be_read_says_why() {
    check(&[
        ("foo", "bad no_value"),
        ("foo|c", "bad no_value"),
        (":100|ms", "bad name_missing"),
        (",a=b:1|c", "bad name_missing"),
        ("foo:1", "bad type_missing"),
        ("foo:1|", "bad type_missing"),
        ("foo:2|t", "bad type_unknown"),
        ("foo:2|C", "bad type_unknown"),
        ("foo:1o|c", "bad value_invalid"),
        ("foo:|c", "bad value_invalid"),
        ("foo:|s", "bad value_invalid"),
        ("foo: 1|c", "bad value_invalid"),
        ("foo:nan|g", "bad value_invalid"),
        ("foo:inf|g", "bad value_invalid"),
        ("foo:1e999|g", "bad value_invalid"),
        ("foo:1|c|@bar", "bad rate_invalid"),
        ("foo:2|c|@0", "bad rate_invalid"),
        ("foo:2|c|@-0.5", "bad rate_invalid"),
        ("foo:2|c|@1.5", "bad rate_invalid"),
        ("foo:2|c|@", "bad rate_invalid"),
        ("foo:1|c|", "bad section_invalid"),
        ("foo:1|c||", "bad section_invalid"),
        ("foo:1|c|garbage", "bad section_invalid"),
        ("cpu_idle:  0.111090  -0.055903", "bad type_missing"),
        ("|h|#consumer:Kafka::Some,topic:x", "bad type_missing"),
    ]);
    assert_eq!(read(b"foo:1|c|#tag:\xc3\x28"), "bad not_text");
    assert_eq!(
        read(b"in\xc3\x28:1|c\nfoo:1|c"),
        "bad not_text; Counter foo 1"
    );
}

const GOOD: &str = "api.requests:1:2:3|d|@0.5|#env:prod,urgent|c:abc|T1656581400\nfoo,a=b:+3|g\n_e{1,2}:a|bc\nx:1|c:2|ms";

proptest! {
    #[test]
    fn what_was_written_is_what_is_read(
        name in "[a-z][a-z_.]{0,20}",
        tags in proptest::collection::vec(("[a-z]{1,8}", "[a-z0-9:/]{1,8}"), 0..5),
        values in proptest::collection::vec(-1e9..1e9_f64, 1..5),
        rate in 0.001..0.999_f64,
    ) {
        let packed: Vec<String> = values.iter().map(ToString::to_string).collect();
        let written: Vec<String> = tags.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        let line = format!("{name}:{}|h|@{rate}|#{}", packed.join(":"), written.join(","));
        let mut samples = 0;
        decode(line.as_bytes(), |whole, found| {
            assert_eq!(whole, line.as_bytes());
            let Found::Sample(sample) = found else { panic!("{found:?}") };
            assert_eq!(sample.name, name);
            assert_eq!(sample.reading.kind, Kind::Histogram);
            assert_eq!(sample.reading.rate.to_bits(), rate.to_bits());
            let numbers: Vec<f64> = sample.reading.numbers().map(|number| number.value).collect();
            assert_eq!(numbers, values);
            let read: Vec<(String, String)> =
                sample.tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(read, tags);
            samples += 1;
        });
        prop_assert_eq!(samples, 1);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }

    #[test]
    fn no_damage_to_a_good_packet_makes_it_panic(
        cut in 0..GOOD.len(),
        damage in proptest::collection::vec((0..GOOD.len(), any::<u8>()), 0..8),
    ) {
        let mut packet = GOOD.as_bytes().to_vec();
        for (at, byte) in damage {
            packet[at] = byte;
        }
        packet.truncate(cut);
        read(&packet);
    }

    #[test]
    fn no_text_of_its_own_letters_makes_it_panic(text in r"[a:|#@,;\[\]=T1.\n+-]{0,60}") {
        read(text.as_bytes());
    }
}
