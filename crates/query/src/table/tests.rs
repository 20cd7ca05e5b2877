//! Answers have the shapes that are documented.

use super::*;
use crate::budget::plenty;
use crate::labels::labels;

fn written(table: &Table, format: Format) -> String {
    let mut budget = plenty();
    let mut page = Page::new(&mut budget);
    table.write(format, &mut page).unwrap();
    String::from_utf8(page.done().to_vec()).unwrap()
}

fn table(kind: Kind) -> Table {
    let hostile = labels(&[
        ("__name__", "=x\"<b>"),
        ("a", "1,2\n"),
        ("__tenant_id__", "team"),
    ]);
    Table {
        kind,
        series: vec![
            (hostile, MetricType::Counter),
            (labels(&[("__name__", "y")]), MetricType::Unspecified),
        ],
        rows: vec![
            Row {
                series: 0,
                at_ms: 1,
                values: vec![Some(1.5), None],
            },
            Row {
                series: 0,
                at_ms: 2,
                values: vec![Some(f64::NAN), Some(f64::INFINITY)],
            },
            Row {
                series: 1,
                at_ms: 3,
                values: vec![Some(f64::NEG_INFINITY), Some(-0.25)],
            },
        ],
        warnings: vec!["say \"less\"".to_owned()],
    }
}

#[test]
fn json_has_an_object_for_each_sample_or_series() {
    assert_eq!(
        written(&table(Kind::Samples), Format::Json),
        r#"{"samples":[{"metric_name":"=x\"<b>","timestamp":1,"value":1.5,"labels":{"a":"1,2\n"},"tenant":"team"},{"metric_name":"=x\"<b>","timestamp":2,"value":"NaN","labels":{"a":"1,2\n"},"tenant":"team"},{"metric_name":"y","timestamp":3,"value":"-Inf","labels":{}}],"warnings":["say \"less\""]}"#
    );
    let series = written(&table(Kind::Series), Format::Json);
    assert!(
        series.contains(r#""type":"counter","last_timestamp":1,"last_value":1.5}"#),
        "{series}"
    );
}

#[test]
fn json_has_columns_for_aggregates() {
    let kind = Kind::Aggregates {
        columns: vec!["mean", "rate"],
        from_ms: 0,
        to_ms: 9,
        step_ms: None,
    };
    assert_eq!(
        written(&table(kind), Format::Json),
        r#"{"from":0,"to":9,"step":null,"series":[{"metric_name":"=x\"<b>","labels":{"a":"1,2\n"},"tenant":"team","timestamps":[1,2],"values":{"mean":[1.5,"NaN"],"rate":[null,"+Inf"]}},{"metric_name":"y","labels":{},"timestamps":[3],"values":{"mean":["-Inf"],"rate":[-0.25]}}],"warnings":["say \"less\""]}"#
    );
}

#[test]
fn csv_quotes_what_it_has_to_and_runs_no_formula() {
    let kind = Kind::Aggregates {
        columns: vec!["mean", "rate"],
        from_ms: 0,
        to_ms: 9,
        step_ms: None,
    };
    assert_eq!(
        written(&table(kind), Format::Csv),
        "metric_name,labels,tenant,timestamp,mean,rate\r\n\
         \"'=x\"\"<b>\",\"{\"\"a\"\":\"\"1,2\\n\"\"}\",team,1,1.5,\r\n\
         \"'=x\"\"<b>\",\"{\"\"a\"\":\"\"1,2\\n\"\"}\",team,2,NaN,+Inf\r\n\
         y,{},,3,-Inf,-0.25\r\n"
    );
}

#[test]
fn an_answer_ends_where_the_budget_does() {
    let config = crate::Config {
        max_memory: service::units::Size(1500),
        ..crate::Config::default()
    };
    for format in [Format::Json, Format::Csv, Format::Arrow] {
        let mut budget = crate::budget::Budget::new(
            &config,
            std::time::Instant::now(),
            std::sync::Arc::default(),
        );
        let mut page = Page::new(&mut budget);
        let mut table = table(Kind::Samples);
        table.rows = vec![table.rows[0].clone(); 500];
        let error = table.write(format, &mut page).unwrap_err();
        assert!(matches!(error, Error::TooLarge(_)), "{format:?}: {error:?}");
    }
}
