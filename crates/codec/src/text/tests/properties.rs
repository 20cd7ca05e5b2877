//! What holds for any body.

use model::Value;
use proptest::prelude::*;

use super::{Dialect, NOW_MS, decode, options};

const BODY: &str = "# HELP c A \\\\ \\n help.\n# TYPE c counter\nc_total{a=\"b\\\"\",\"x.y\"=\"é\"} 1 1.5 # {id=\"z\"} 0.5 2\nc_created{a=\"b\\\"\",\"x.y\"=\"é\"} 1\n\
# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum NaN\n{\"u.v\"} -Inf 3\n# EOF\n";

#[derive(Debug, Clone)]
struct Written {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
    at_ms: Option<i64>,
    exemplar: Option<(String, f64)>,
}

fn written() -> impl Strategy<Value = Written> {
    let label = (
        "[a-zA-Z_][a-zA-Z0-9_]{0,5}|\\PC{1,6}",
        "\\PC{0,12}|[\\\\\"\n{}, =#]{0,6}",
    );
    (
        "[a-zA-Z_:][a-zA-Z0-9_:]{0,9}|\\PC{1,8}",
        prop::collection::vec(label, 0..4),
        any::<f64>(),
        prop::option::of(-9_000_000_000_000_i64..9_000_000_000_000),
        prop::option::of(("\\PC{0,9}", -1e9..1e9)),
    )
        .prop_map(|(name, labels, value, at_ms, exemplar)| Written {
            name,
            labels,
            value,
            at_ms,
            exemplar,
        })
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn is_bare(name: &str, with_colons: bool) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || it == '_' || (with_colons && it == ':'))
}

fn line(sample: &Written, dialect: Dialect) -> String {
    let mut labels = Vec::new();
    let mut line = String::new();
    if is_bare(&sample.name, true) {
        line += &sample.name;
    } else {
        labels.push(quoted(&sample.name));
    }
    for (name, value) in &sample.labels {
        let name = if is_bare(name, false) {
            name.clone()
        } else {
            quoted(name)
        };
        labels.push(format!("{name}={}", quoted(value)));
    }
    if !labels.is_empty() {
        line += &format!("{{{}}}", labels.join(","));
    }
    line += &format!(" {:?}", sample.value);
    if let Some(at_ms) = sample.at_ms {
        line += &match dialect {
            Dialect::Text => format!(" {at_ms}"),
            Dialect::OpenMetrics => {
                let sign = if at_ms < 0 { "-" } else { "" };
                format!(" {sign}{}.{:03}", at_ms.abs() / 1000, at_ms.abs() % 1000)
            }
        };
    }
    if let Some((label, value)) = &sample.exemplar {
        line += &format!(" # {{id={}}} {value:?}", quoted(label));
    }
    line + "\n"
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Text), Just(Dialect::OpenMetrics)]
}

proptest! {
    #[test]
    fn what_was_written_comes_back(samples in prop::collection::vec(written(), 0..6), dialect in dialect()) {
        let mut body: String = samples.iter().map(|sample| line(sample, dialect)).collect();
        if dialect == Dialect::OpenMetrics {
            body += "# EOF\n";
        }
        let decoded = decode(body.as_bytes(), &options(dialect), 100).unwrap();
        prop_assert_eq!(&decoded.refused, &[]);
        let batch = &decoded.batch;
        let mut found = batch.samples().iter().peekable();
        for written in &samples {
            let sample = found.next().unwrap();
            let series = batch.series(sample.series).unwrap();
            prop_assert_eq!(&series.name, &written.name);
            let labels: Vec<(String, String)> = batch
                .labels(series)
                .iter()
                .map(|label| (label.name.to_string(), label.value.to_string()))
                .collect();
            prop_assert_eq!(&labels, &written.labels);
            prop_assert_eq!(sample.at_ms, written.at_ms.unwrap_or(NOW_MS));
            let Value::Float(value) = sample.value else { panic!("a number") };
            prop_assert!(value.to_bits() == written.value.to_bits() || (value.is_nan() && written.value.is_nan()));
            if let Some((label, value)) = &written.exemplar {
                let Value::Exemplar(number) = found.next().unwrap().value else { panic!("an exemplar") };
                let (exemplar, labels) = batch.exemplar(number).unwrap();
                prop_assert_eq!(exemplar.value.to_bits(), value.to_bits());
                prop_assert_eq!(&labels[0].value, label);
            }
        }
        prop_assert!(found.next().is_none());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), dialect in dialect()) {
        drop(decode(&bytes, &options(dialect), 100));
    }

    #[test]
    fn random_lines_never_panic(
        body in "([a-z#{}\"=, \\\\0-9.\n\t+-]|# TYPE a |counter\n|histogram\n|a_bucket|\\{le=\"|\"\\} ){0,60}",
        dialect in dialect(),
    ) {
        if let Ok(decoded) = decode(body.as_bytes(), &options(dialect), 1000) {
            prop_assert!(decoded.refused.len() <= decoded.objects as usize);
        }
    }

    #[test]
    fn mutated_bodies_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        dialect in dialect(),
    ) {
        let mut body = BODY.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok(decoded) = decode(&body, &options(dialect), 100) {
            prop_assert!(decoded.refused.len() <= decoded.objects as usize);
        }
    }
}

#[test]
fn the_body_that_is_mutated_is_good() {
    for dialect in [Dialect::Text, Dialect::OpenMetrics] {
        let decoded = decode(BODY.as_bytes(), &options(dialect), 100).unwrap();
        let refused = usize::from(dialect == Dialect::Text);
        // The time 1.5 is no whole number of milliseconds.
        assert_eq!(decoded.refused.len(), refused);
    }
}
