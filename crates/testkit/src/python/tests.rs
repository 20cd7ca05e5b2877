//! Checks that the interpreter has what the tests import.

use super::run;

#[test]
fn every_pinned_package_can_be_imported() {
    let program = "import aiohttp, confluent_kafka, duckdb, psutil, pyarrow.parquet, requests, sys\n\
                   import datadog, influxdb_client, prometheus_client, statsd\n\
                   import opentelemetry.exporter.otlp.proto.http.metric_exporter, opentelemetry.sdk.metrics\n\
                   import opentelemetry.exporter.otlp.proto.grpc.metric_exporter\n\
                   print(sys.argv[1], duckdb.sql('select 6 * 7').fetchone()[0])";
    assert_eq!(run(program, &["answer"]), "answer 42\n");
}

#[test]
#[should_panic(expected = "NameError")]
fn a_failing_program_shows_its_traceback() {
    drop(run("nothing", &[]));
}
