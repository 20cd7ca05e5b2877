//! Bodies as a whole.

use super::*;

#[test]
fn an_empty_body_is_an_empty_request() {
    for version in [Version::V1, Version::V2] {
        let decoded = decode(version, b"", &limits()).unwrap();
        assert_eq!(decoded, Decoded::default());
    }
}

#[test]
fn the_name_may_stand_anywhere_among_the_labels() {
    for at in 0..3 {
        let mut labels = vec![label("Zone", "z"), label("host", "a")];
        labels.insert(at, label("__name__", "up"));
        let body = of_series(vec![v1::TimeSeries {
            labels,
            samples: vec![sample(1.0, 5)],
            ..v1::TimeSeries::default()
        }]);
        assert_eq!(shown(&v1_of(&body).batch), ["up{Zone=z,host=a} 1 @5"]);
    }
}

#[test]
fn text_is_borrowed_from_the_body() {
    let body = of_series(vec![v1::TimeSeries {
        labels: named("up"),
        samples: vec![sample(1.0, 5)],
        ..v1::TimeSeries::default()
    }]);
    let decoded = v1_of(&body);
    let series = &decoded.batch.all_series()[0];
    assert!(matches!(series.name, std::borrow::Cow::Borrowed(_)));
    let labels = decoded.batch.labels(series);
    assert!(matches!(labels[0].value, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn a_label_like_the_one_before_it_is_the_same_text_in_memory() {
    let of = |labels: &[(&str, &str)]| v1::TimeSeries {
        labels: labels
            .iter()
            .map(|(name, value)| label(name, value))
            .collect(),
        samples: vec![sample(1.0, 5)],
        ..v1::TimeSeries::default()
    };
    let body = of_series(vec![
        of(&[("__name__", "up"), ("host", "a"), ("zone", "z")]),
        of(&[("__name__", "up"), ("host", "b"), ("zone", "z")]),
        of(&[("__name__", "up"), ("zone", "z")]),
        of(&[
            ("__name__", "up"),
            ("host", "a"),
            ("zone", "y"),
            ("zoo", "z"),
        ]),
        of(&[("host", "a"), ("__name__", "up")]),
    ]);
    let decoded = v1_of(&body);
    assert_eq!(
        shown(&decoded.batch),
        [
            "up{host=a,zone=z} 1 @5",
            "up{host=b,zone=z} 1 @5",
            "up{zone=z} 1 @5",
            "up{host=a,zone=y,zoo=z} 1 @5",
            "up{host=a} 1 @5",
        ]
    );
    let label = |series: usize, at: usize| {
        let batch = &decoded.batch;
        &batch.labels(&batch.all_series()[series])[at]
    };
    assert!(std::ptr::eq::<str>(&*label(0, 0).name, &*label(1, 0).name));
    assert!(std::ptr::eq::<str>(
        &*label(0, 1).value,
        &*label(1, 1).value
    ));
}

#[test]
fn samples_before_their_labels_are_read_too() {
    let mut series = encoded(&v1::TimeSeries {
        samples: vec![sample(2.0, 7)],
        ..v1::TimeSeries::default()
    });
    series.extend(encoded(&v1::TimeSeries {
        labels: named("up"),
        ..v1::TimeSeries::default()
    }));
    let mut body = Vec::new();
    crate::protobuf::put_bytes(&mut body, 1, &series);
    assert_eq!(shown(&v1_of(&body).batch), ["up{host=a} 2 @7"]);
}

#[test]
fn symbols_behind_the_series_are_found() {
    let mut request = Request::default();
    request.series(&[("__name__", "up")]).samples = vec![point(1.0, 5, 0)];
    let symbols = std::mem::take(&mut request.0.symbols);
    let mut body = request.body();
    body.extend(encoded(&v2::Request {
        symbols,
        timeseries: Vec::new(),
    }));
    assert_eq!(shown(&v2_of(&body).batch), ["up{} 1 @5"]);
}

#[test]
fn references_may_come_one_by_one() {
    let mut series = vec![0x08, 1, 0x08, 2];
    series.extend(encoded(&v2::TimeSeries {
        samples: vec![point(1.0, 5, 0)],
        ..v2::TimeSeries::default()
    }));
    let mut body = Vec::new();
    for symbol in ["", "__name__", "up"] {
        crate::protobuf::put_bytes(&mut body, 4, symbol.as_bytes());
    }
    crate::protobuf::put_bytes(&mut body, 5, &series);
    assert_eq!(shown(&v2_of(&body).batch), ["up{} 1 @5"]);
}

#[test]
fn the_other_versions_body_is_recognised() {
    let one = of_series(vec![v1::TimeSeries {
        labels: named("up"),
        samples: vec![sample(1.0, 5)],
        ..v1::TimeSeries::default()
    }]);
    refused_whole(
        Version::V2,
        &one,
        Code::BodyInvalid,
        "the body looks like remote write 1.0; its content type is application/x-protobuf without \
         proto=io.prometheus.write.v2.Request",
    );
    let mut request = Request::default();
    request.series(&[("__name__", "up")]).samples = vec![point(1.0, 5, 0)];
    refused_whole(
        Version::V1,
        &request.body(),
        Code::BodyInvalid,
        "the body looks like remote write 2.0; its content type is \
         application/x-protobuf;proto=io.prometheus.write.v2.Request",
    );
}

#[test]
fn a_body_that_breaks_off_is_refused_whole() {
    let body = of_series(vec![v1::TimeSeries {
        labels: named("up"),
        samples: vec![sample(1.0, 5)],
        ..v1::TimeSeries::default()
    }]);
    for end in 1..body.len() {
        let refusal = decode(Version::V1, &body[..end], &limits()).unwrap_err();
        assert_eq!(refusal.code, Code::BodyInvalid, "{end}");
    }
    refused_whole(
        Version::V1,
        &body[..9],
        Code::BodyInvalid,
        "the body is not a prometheus.WriteRequest: a field breaks off",
    );
    refused_whole(
        Version::V1,
        b"\x0a\x03\x0a\x05a",
        Code::BodyInvalid,
        "the body is not a prometheus.WriteRequest: series 0: a field breaks off",
    );
    refused_whole(
        Version::V2,
        b"{\"metrics\": []}",
        Code::BodyInvalid,
        "the body is not a io.prometheus.write.v2.Request: a field has the wire type 3",
    );
}

#[test]
fn more_samples_than_a_body_may_have_refuse_it() {
    let limits = Limits {
        max_samples: 2,
        ..limits()
    };
    let body = |samples: usize| {
        of_series(vec![v1::TimeSeries {
            labels: named("up"),
            samples: vec![sample(1.0, 5); samples],
            ..v1::TimeSeries::default()
        }])
    };
    assert_eq!(decode(Version::V1, &body(2), &limits).unwrap().objects, 2);
    let refusal = decode(Version::V1, &body(3), &limits).unwrap_err();
    assert_eq!(refusal.code, Code::TooManySamples);
    assert_eq!(
        refusal.message,
        "the body has more than 2 samples; send several smaller ones"
    );
}

#[test]
fn metadata_alone_is_families() {
    let body = encoded(&v1::WriteRequest {
        timeseries: Vec::new(),
        metadata: vec![v1::MetricMetadata {
            r#type: 3,
            metric_family_name: "latency".to_owned(),
            help: "How long.".to_owned(),
            unit: "seconds".to_owned(),
        }],
    });
    let decoded = v1_of(&body);
    assert_eq!(decoded.objects, 0);
    let [family] = decoded.families.as_slice() else {
        panic!("{decoded:?}");
    };
    assert_eq!(
        (
            family.name.as_ref(),
            family.kind.as_str(),
            family.unit.as_ref(),
            family.help.as_ref()
        ),
        ("latency", "histogram", "seconds", "How long.")
    );

    let mut request = Request::default();
    let (help, unit) = (request.number("How long."), request.number("seconds"));
    request.series(&[("__name__", "latency")]).metadata = Some(v2::Metadata {
        r#type: 1,
        help_ref: help,
        unit_ref: unit,
    });
    let body = request.body();
    let decoded = v2_of(&body);
    assert_eq!(decoded.families[0].kind, model::MetricType::Counter);
    assert_eq!(decoded.families[0].help, "How long.");
}
