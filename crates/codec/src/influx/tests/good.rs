//! Lines that are stored.

use super::*;

#[test]
fn measurement_and_field_make_the_name_and_tags_the_labels() {
    assert_eq!(
        samples("cpu,host=a,region=eu usage_idle=98.5,usage_user=1i 1700000000123456789"),
        [
            "cpu_usage_idle{host=a,region=eu} 98.5 @1700000000123",
            "cpu_usage_user{host=a,region=eu} 1 @1700000000123",
        ]
    );
    assert_eq!(samples("up,host=a value=1"), ["up{host=a} 1"]);
    assert_eq!(samples("up value=1,total=2"), ["up{} 1", "up_total{} 2"]);
}

#[test]
fn the_separator_is_a_setting() {
    let options = Options {
        separator: ".",
        ..options()
    };
    let decoded = decoded("cpu idle=1,value=2", &options);
    assert_eq!(shown(&decoded), ["cpu.idle{} 1", "cpu{} 2"]);
}

#[test]
fn numbers_are_read_in_every_spelling() {
    for (text, value) in [
        ("1", 1.0),
        ("-7", -7.0),
        ("1.5", 1.5),
        ("5.", 5.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1e4", 1e4),
        ("1E4", 1e4),
        ("1.0e+4", 1e4),
        ("-1.0e-4", -1e-4),
        ("0.00", 0.0),
        ("000123", 123.0),
        ("1i", 1.0),
        ("-1i", -1.0),
        ("0009223372036854775807i", 9_223_372_036_854_775_807.0),
        ("-9223372036854775808i", -9_223_372_036_854_775_808.0),
        ("0u", 0.0),
        ("18446744073709551615u", 18_446_744_073_709_551_615.0),
        ("1.7976931348623157e308", f64::MAX),
        (
            "-000179769313486231570000000000000000000e273",
            -1.797_693_134_862_315_7e308,
        ),
        ("5e-324", 5e-324),
    ] {
        let body = format!("m value={text}");
        let decoded = decoded(&body, &options());
        let [sample] = decoded.batch.samples() else {
            panic!("{text}: {:?}", told(&decoded));
        };
        assert_eq!(sample.value, model::Value::Float(value), "{text}");
    }
}

#[test]
fn booleans_are_one_and_zero_or_skipped() {
    for text in ["t", "T", "true", "True", "TRUE"] {
        assert_eq!(samples(&format!("m on={text}")), ["m_on{} 1"]);
    }
    for text in ["f", "F", "false", "False", "FALSE"] {
        assert_eq!(samples(&format!("m on={text}")), ["m_on{} 0"]);
    }
    let options = Options {
        booleans: Booleans::Skip,
        ..options()
    };
    let decoded = decoded("m on=t,x=1\nm off=f", &options);
    assert_eq!(shown(&decoded), ["m_x{} 1"]);
    assert_eq!(decoded.ignored, [(Ignored::Boolean, 2)]);
    assert_eq!((decoded.objects, decoded.refused.len()), (2, 0));
}

#[test]
fn text_is_skipped_and_counted_whatever_is_in_it() {
    let body = concat!(
        "a s=\"foo bar\",x=1\n",
        "b s=\"comma, equals= and \\\" quote\",x=2\n",
        "c s=\"trailing backslash \\\\\",x=3\n",
        "d s=\"\",x=4\n",
        "e s=\"line\nfeed x=9\n\",x=5\n",
        "f s=\"{Hello\\\"{,}\\\" World}\"\n",
        "g x=7 1700000000000000000",
    );
    let decoded = decoded(body, &options());
    assert_eq!(
        shown(&decoded),
        [
            "a_x{} 1", "b_x{} 2", "c_x{} 3", "d_x{} 4", "e_x{} 5", "g_x{} 7"
        ]
    );
    assert_eq!(decoded.ignored, [(Ignored::Text, 6)]);
    assert_eq!(decoded.objects, 7);
    let numbers: Vec<u32> = decoded
        .batch
        .samples()
        .iter()
        .map(|sample| sample.index)
        .collect();
    assert_eq!(
        numbers,
        [0, 1, 2, 3, 4, 8],
        "line feeds in text are counted"
    );
}

#[test]
fn a_backslash_escapes_what_would_end_a_name_and_nothing_else() {
    for (line, shown) in [
        (r"foo\,bar value=1", "foo,bar{} 1"),
        (
            r"cpu\,main,regions=east value=1",
            "cpu,main{regions=east} 1",
        ),
        (r"cpu\ load,region=east value=1", "cpu load{region=east} 1"),
        (
            r"cpu\=load,region=east value=1",
            r"cpu\=load{region=east} 1",
        ),
        ("cpu=load,region=east value=1", "cpu=load{region=east} 1"),
        (r"cpu,region\,zone=east value=1", "cpu{region,zone=east} 1"),
        (r"cpu,region\ zone=east value=1", "cpu{region zone=east} 1"),
        (r"cpu,reg\\=ion=east value=1", r"cpu{reg\=ion=east} 1"),
        (r"cpu,\ =east value=1", "cpu{ =east} 1"),
        (
            r"cpu,regions=east\,west value=1",
            "cpu{regions=east,west} 1",
        ),
        (r"cpu,regions=\\ east value=1", r"cpu{regions=\ east} 1"),
        (r"cpu,regions=eas\\ t value=1", r"cpu{regions=eas\ t} 1"),
        (r"cpu,regions=east\\  value=1", r"cpu{regions=east\ } 1"),
        (
            r"cpu,regions=east value\,ms=1",
            "cpu_value,ms{regions=east} 1",
        ),
        (
            r"cpu,regions=east value\ ms=1",
            "cpu_value ms{regions=east} 1",
        ),
        (r"cpu,regions=eas\t value=1", r"cpu{regions=eas\t} 1"),
        (
            r"cpu,regions=\\,\,\=east value=1",
            r"cpu{regions=\,,=east} 1",
        ),
        (r"cpu \a=1i", r"cpu_\a{} 1"),
        (r"cpu a\ =123i", "cpu_a {} 123"),
        (
            r"cpu=load,equals\=foo=tag\=value value=1i",
            "cpu=load{equals=foo=tag=value} 1",
        ),
        (
            r#""cpu",host="serverA" value=1"#,
            "\"cpu\"{host=\"serverA\"} 1",
        ),
        (
            r#"cpu,"host"="serverA" value=1"#,
            "cpu{\"host\"=\"serverA\"} 1",
        ),
        (
            r"comma\,1,equals\==e\,x,two=val2 field\=x=1",
            "comma,1_field=x{equals==e,x,two=val2} 1",
        ),
        (r"\#m value=1", r"\#m{} 1"),
        ("日本,タグ=値 フィールド=1", "日本_フィールド{タグ=値} 1"),
    ] {
        assert_eq!(samples(line), [shown], "{line}");
    }
}

#[test]
fn a_quote_in_a_tag_opens_no_text() {
    assert_eq!(
        samples("baz,mytag=\"a x=1\nbaz,mytag=a z=1"),
        ["baz_x{mytag=\"a} 1", "baz_z{mytag=a} 1"]
    );
}

#[test]
fn blanks_empty_lines_comments_and_carriage_returns_are_passed_over() {
    assert_eq!(
        samples(
            "\n   # comment, x=1\n  m1,t=a   x=1   1700000000001000000   \n\n\t\n#\nm2 x=2 \r\n\r\nm3 x=3 1700000000003000000\r\nm4 x=4i\r"
        ),
        [
            "m1_x{t=a} 1 @1700000000001",
            "m2_x{} 2",
            "m3_x{} 3 @1700000000003",
            "m4_x{} 4"
        ]
    );
    assert_eq!(samples(""), [""; 0]);
    assert_eq!(samples("# only a comment"), [""; 0]);
}

#[test]
fn every_precision_is_rounded_down_to_milliseconds() {
    let at = |precision: &str, raw: i64| {
        let precision = Precision::parse(precision).unwrap();
        precision.at_ms(raw, NOW_MS).unwrap()
    };
    for (precision, raw, at_ms) in [
        ("ns", 1_699_999_999_999_999_999, 1_699_999_999_999),
        ("n", -1, -1),
        ("ns", -1_000_000, -1),
        ("ns", -1_000_001, -2),
        ("u", 1_699_999_999_999_999, 1_699_999_999_999),
        ("us", -1001, -2),
        ("µs", 0, 0),
        ("ms", 1_699_999_999_999, 1_699_999_999_999),
        ("ms", -5, -5),
        ("s", 1_700_000_000, 1_700_000_000_000),
        ("s", -2, -2000),
        ("m", 28_333_333, 1_699_999_980_000),
        ("h", 472_222, 1_699_999_200_000),
        ("auto", 1_700_000_000, 1_700_000_000_000),
        ("auto", 1_700_000_000_123, 1_700_000_000_123),
        ("auto", 1_700_000_000_123_456, 1_700_000_000_123),
        ("auto", 1_700_000_000_123_456_789, 1_700_000_000_123),
        ("auto", -4_999_999_999, -4_999_999_999_000),
        ("auto", -5_000_000_000, -5_000_000_000),
        ("auto", 4_999_999_999_999, 4_999_999_999_999),
        ("auto", 5_000_000_000_000, 5_000_000_000),
        ("auto", i64::MIN, -9_223_372_036_855),
        ("nanosecond", i64::MAX, 9_223_372_036_854),
        ("second", 978_307_200, 978_307_200_000),
    ] {
        assert_eq!(at(precision, raw), at_ms, "{raw} {precision}");
    }
    assert_eq!(Precision::parse("fortnight"), None);
}

#[test]
fn of_a_repeated_field_the_last_counts() {
    assert_eq!(samples("m a=1,b=2,a=3i"), ["m_b{} 2", "m_a{} 3"]);
    let mut many: Vec<String> = (0..50).map(|n| format!("f{n}={n}")).collect();
    many.push("f7=70".to_owned());
    let found = samples(&format!("m {}", many.join(",")));
    assert_eq!(found.len(), 50);
    assert_eq!(found.last().unwrap(), "m_f7{} 70");
}

#[test]
fn a_label_of_the_request_is_added_unless_a_tag_has_its_name() {
    let options = Options {
        label: Some(("db", "telegraf")),
        ..options()
    };
    let decoded = decoded("m,host=a x=1,y=2\nm,db=mine x=3\nm x=4", &options);
    assert_eq!(
        shown(&decoded),
        [
            "m_x{host=a,db=telegraf} 1",
            "m_y{host=a,db=telegraf} 2",
            "m_x{db=mine} 3",
            "m_x{db=telegraf} 4"
        ]
    );
}

#[test]
fn nothing_without_escapes_is_copied() {
    let decoded = decoded("cpu,host=a value=1", &options());
    let series = decoded.batch.series(0).unwrap();
    let [label] = decoded.batch.labels(series) else {
        panic!("one label");
    };
    assert!(matches!(series.name, Cow::Borrowed(_)));
    assert!(matches!(
        (&label.name, &label.value),
        (Cow::Borrowed(_), Cow::Borrowed(_))
    ));
}
