//! Whose a sample is, and of what name and series: many tenants, senders and names, floats and native histograms,
//! records that fail, and records that are split.

use super::*;

/// Tenant, metric and host of a sample, and whether it is a native histogram. Its time is unique, and grows.
type Sent = (u8, u8, u8, bool);

/// More names than there are shards.
const NAMES: u8 = 40;

/// When it comes, whose it is, and its samples' metrics, hosts and kinds.
type Arriving = (u64, u8, Vec<(u8, u8, bool)>);

#[derive(Debug)]
struct Mixed {
    requests: Vec<Arriving>,
    behaviours: Vec<bool>,
    max_record_bytes: usize,
    format: RecordFormat,
}

fn mixed() -> impl Strategy<Value = Mixed> {
    let sample = (0..NAMES, 0_u8..3, prop::bool::weighted(0.2));
    let request = (0_u64..20, 0_u8..3, prop::collection::vec(sample, 0..60));
    (
        prop::collection::vec(request, 1..12),
        prop::collection::vec(prop::bool::weighted(0.8), 0..60),
        prop_oneof![Just(700_usize), Just(1500), Just(100_000)],
        prop_oneof![Just(RecordFormat::Protobuf), Just(RecordFormat::Json)],
    )
        .prop_map(|(requests, behaviours, max_record_bytes, format)| Mixed {
            requests,
            behaviours,
            max_record_bytes,
            format,
        })
}

/// A bucket of its own, an observation: classic readers see a count of one.
fn histogram(at_ms: i64) -> Vec<u8> {
    use codec::wire::v1;
    use prost::Message as _;

    let histogram = v1::Histogram {
        count: Some(v1::Count::CountInt(1)),
        sum: 1.0,
        schema: 0,
        zero_threshold: 1e-9,
        zero_count: Some(v1::ZeroCount::ZeroCountInt(0)),
        positive_spans: vec![v1::BucketSpan {
            offset: 0,
            length: 1,
        }],
        positive_deltas: vec![1],
        timestamp: at_ms,
        ..v1::Histogram::default()
    };
    histogram.encode_to_vec()
}

/// Every float and histogram of a record, which must be of the record's own key.
fn found(record: &Record) -> Vec<(Sent, i64)> {
    let tenant = record
        .tenant
        .as_deref()
        .map_or(0, |tenant| tenant.parse().unwrap());
    let content_type = record.content_type.as_str().as_bytes();
    let block = codec::record::decode(Some(content_type), &record.value).unwrap();
    let mut found = Vec::new();
    for series in block.iter() {
        let name = series.name();
        // A record of a single native histogram is read as its classic series.
        let (metric, is_classic) = match name.strip_suffix("_count") {
            Some(metric) => (metric, true),
            None => (name, false),
        };
        if name.ends_with("_bucket") || name.ends_with("_sum") {
            continue;
        }
        assert_eq!(metric.as_bytes(), record.key, "{name} under another key");
        let metric = metric.strip_prefix("metric_").unwrap().parse().unwrap();
        let label = |wanted: &str| {
            let mut labels = series.labels();
            labels
                .find_map(|(name, value)| (name == wanted).then_some(value))
                .unwrap()
        };
        assert_eq!(
            label("tenant"),
            tenant.to_string(),
            "another tenant's sample"
        );
        let host = label("host").parse().unwrap();
        for point in series.points() {
            found.push(((tenant, metric, host, is_classic), point.at_ms));
        }
        for histogram in series.histograms() {
            found.push(((tenant, metric, host, true), histogram.at_ms));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_sample_moves_to_another_name_series_or_tenant(mixed in mixed()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check_mixed(mixed));
    }
}

async fn check_mixed(mixed: Mixed) {
    let Mixed {
        requests,
        behaviours,
        max_record_bytes,
        format,
    } = mixed;
    let buffer = FakeBuffer {
        max_record_bytes: max_record_bytes.into(),
        ..FakeBuffer::default()
    };
    let outcomes = behaviours.iter().map(|is_confirmed| match is_confirmed {
        true => Then::ConfirmAfter(Duration::from_millis(3)),
        false => Then::Fail(PublishError::QueueFull),
    });
    buffer.next.lock().unwrap().extend(outcomes);
    let fixture = start(&window(5), format, buffer);
    let clock = std::cell::Cell::new(NOW_MS);
    let answers = join_all(requests.iter().map(|(at_ms, tenant, samples)| {
        let (fixture, clock) = (&fixture, &clock);
        async move {
            tokio::time::sleep(Duration::from_millis(*at_ms)).await;
            let mut batch = Batch::default();
            let mut sent: Vec<(Sent, i64)> = Vec::new();
            for (index, (metric, host, is_histogram)) in (0_u32..).zip(samples) {
                clock.set(clock.get() + 1);
                let at_ms = clock.get();
                let from = batch.open_labels();
                batch.push_label("host", host.to_string());
                batch.push_label("tenant", tenant.to_string());
                let series = batch.close_series(format!("metric_{metric}"), from);
                if *is_histogram {
                    batch.push_histogram(index, series, at_ms, histogram(at_ms));
                } else {
                    batch.push_float(index, series, at_ms, 1.0);
                }
                sent.push(((*tenant, *metric, *host, *is_histogram), at_ms));
            }
            let origin = Origin {
                tenant: (*tenant > 0).then(|| tenant.to_string().into()),
                source: Some(format!("agent-{tenant}").into()),
            };
            (fixture.give(&batch, &origin).await, sent)
        }
    }))
    .await;
    let published = fixture.buffer.published.lock().unwrap();
    let mut all: BTreeMap<(Sent, i64), bool> = BTreeMap::new();
    let mut last_of_series: BTreeMap<Sent, i64> = BTreeMap::new();
    for (record, is_confirmed) in published.iter() {
        assert!(record.key.len() + record.value.len() <= max_record_bytes);
        for (sent, at_ms) in found(record) {
            let expected = format!("agent-{}", sent.0);
            assert_eq!(record.source.as_deref(), Some(expected.as_str()));
            assert!(
                all.insert((sent, at_ms), *is_confirmed).is_none(),
                "{sent:?} twice"
            );
            let last = last_of_series.insert(sent, at_ms);
            assert!(
                last.is_none_or(|last| last < at_ms),
                "{sent:?} out of order"
            );
        }
    }
    let mut count = 0;
    for (answer, sent) in answers {
        count += sent.len();
        let is_durable = sent.iter().all(|sample| all.get(sample) == Some(&true));
        assert!(sent.iter().all(|sample| all.contains_key(sample)), "lost");
        assert_eq!(answer.is_ok(), is_durable, "{answer:?}");
    }
    assert_eq!(count, all.len(), "samples that nobody sent");
}
