//! What OpenMetrics says beyond the older text format, line by line.

use super::{Dialect, decode, openmetrics, options, refused, shown};

#[test]
fn every_type_is_understood() {
    let body = "\
# TYPE acme_http_router_request_seconds summary
# UNIT acme_http_router_request_seconds seconds
# HELP acme_http_router_request_seconds Latency though \\\"all\\\" of ACME's HTTP request router.
acme_http_router_request_seconds_sum{path=\"/api/v1\",method=\"GET\"} 9036.32
acme_http_router_request_seconds_count{path=\"/api/v1\",method=\"GET\"} 807283.0
acme_http_router_request_seconds_created{path=\"/api/v1\",method=\"GET\"} 1605281325.0
acme_http_router_request_seconds_sum{path=\"/api/v2\",method=\"POST\"} 479.3
acme_http_router_request_seconds_count{path=\"/api/v2\",method=\"POST\"} 34.0
acme_http_router_request_seconds_created{path=\"/api/v2\",method=\"POST\"} 1605281325.5
# TYPE go_goroutines gauge
go_goroutines 69 1600000000.123
# TYPE process_cpu_seconds counter
process_cpu_seconds_created 1600000001
process_cpu_seconds_total 4.20072246e+06 # {trace_id=\"K\"} 0.67 1600000002.5
# TYPE h histogram
h_bucket{le=\"0.1\"} 8 # {} 0.05
h_bucket{le=\"+Inf\"} 9
h_count 9
h_sum 3
h_created 1600000003
# TYPE gh gaugehistogram
gh_bucket{le=\"+Inf\"} 42
gh_gcount 42
gh_gsum -3289.3
# TYPE build info
build_info{version=\"1\"} 1
# TYPE state stateset
state{state=\"on\"} 1
state{state=\"off\"} 0
# TYPE x unknown
x 1
y 2
# EOF
";
    let decoded = openmetrics(body);
    assert_eq!(refused(&decoded), "");
    insta::assert_snapshot!(shown(&decoded), @r#"
    3: acme_http_router_request_seconds_sum path="/api/v1" method="GET" 9036.32 since 1605281325000 summary in seconds ("Latency though \"all\" of ACME's HTTP request router.")
    4: acme_http_router_request_seconds_count path="/api/v1" method="GET" 807283.0 since 1605281325000 summary in seconds ("Latency though \"all\" of ACME's HTTP request router.")
    5: acme_http_router_request_seconds_created path="/api/v1" method="GET" 1605281325.0 gauge in seconds ("Latency though \"all\" of ACME's HTTP request router.")
    6: acme_http_router_request_seconds_sum path="/api/v2" method="POST" 479.3 since 1605281325500 summary in seconds ("Latency though \"all\" of ACME's HTTP request router.")
    7: acme_http_router_request_seconds_count path="/api/v2" method="POST" 34.0 since 1605281325500 summary in seconds ("Latency though \"all\" of ACME's HTTP request router.")
    8: acme_http_router_request_seconds_created path="/api/v2" method="POST" 1605281325.5 gauge in seconds ("Latency though \"all\" of ACME's HTTP request router.")
    10: go_goroutines 69.0 @1600000000123 gauge
    12: process_cpu_seconds_created 1600000001.0 gauge
    13: process_cpu_seconds_total 4200722.46 since 1600000001000 counter
    13: process_cpu_seconds_total exemplar 0.67 trace_id="K" @1600000002500 counter
    15: h_bucket le="0.1" 8.0 since 1600000003000 histogram
    15: h_bucket le="0.1" exemplar 0.05 since 1600000003000 histogram
    16: h_bucket le="+Inf" 9.0 since 1600000003000 histogram
    17: h_count 9.0 since 1600000003000 histogram
    18: h_sum 3.0 since 1600000003000 histogram
    19: h_created 1600000003.0 gauge
    21: gh_bucket le="+Inf" 42.0 gaugehistogram
    22: gh_gcount 42.0 gaugehistogram
    23: gh_gsum -3289.3 gaugehistogram
    25: build_info version="1" 1.0 info
    27: state state="on" 1.0 stateset
    28: state state="off" 0.0 stateset
    30: x 1.0
    31: y 2.0
    "#);
}

#[test]
fn a_body_without_its_end_is_refused_whole() {
    for body in [
        "",
        "a 1\n",
        "a 1\n# EO",
        "a 1\n# EOF ",
        "a 1\n# EOF\r\n",
        "a 1\n#EOF\n",
    ] {
        let refusal = decode(body.as_bytes(), &options(Dialect::OpenMetrics), 10).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the body does not end with the line # EOF, as OpenMetrics must: it may be cut off",
            "{body:?}"
        );
    }
    assert_eq!(openmetrics("# EOF").objects, 0);
    assert_eq!(openmetrics("# EOF\n").objects, 0);
}

#[test]
fn a_bad_line_is_refused_alone_and_named() {
    let body = "\
good 1

a  1
a 1 2 3
a 1 NaN
# a comment
# TYPE c counter
c_total -1
# TYPE h histogram
h_bucket 1
h_bucket{le=\"x\"} 1
# TYPE s summary
s 1
s{quantile=\"2\"} 1
# TYPE st stateset
st{st=\"a\"} 2
st{x=\"a\"} 1
# TYPE i info
i_info 2
c_total 1
c_total 2
# TYPE c gauge
# HELP s late
# UNIT i i
# UNIT g_s x
# TYPE k speed
good 2
# EOF
good 3
";
    let decoded = openmetrics(body);
    insta::assert_snapshot!(refused(&decoded), @r##"
     sample_invalid line 2: the line is empty
    a value_invalid line 3: OpenMetrics has one space before the value
    a sample_invalid line 4: "3" follows where the line should end
    a timestamp_invalid line 5: the timestamp "NaN" is not a number of seconds
     metadata_invalid line 6: "# a comment" is none of # HELP, # TYPE, # UNIT and # EOF, and OpenMetrics has no comments
    c_total value_invalid line 8: the value is -1, but a counter counts up from 0
    h_bucket histogram_invalid line 10: the bucket has no label le
    h_bucket histogram_invalid line 11: the label le of the bucket is not a number
    s summary_invalid line 13: the summary's sample has no label quantile
    s summary_invalid line 14: the label quantile is not a number from 0 to 1
    st value_invalid line 16: the value of a stateset is 2, neither 0 nor 1
    st labels_invalid line 17: the stateset's sample has no label "st", which would name the state
    i_info value_invalid line 19: the value of an info is 2, not 1
     metadata_invalid line 22: TYPE of "c" comes after samples of it
     metadata_invalid line 24: the unit "i" is not what the name "i" ends with after an underscore
     metadata_invalid line 25: the unit "x" is not what the name "g_s" ends with after an underscore
     metadata_invalid line 26: the type of "k" is "speed"; it can be counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown
     sample_invalid line 29: the line comes after # EOF
    "##);
    insta::assert_snapshot!(shown(&decoded), @r#"
    0: good 1.0
    19: c_total 1.0 counter
    20: c_total 2.0 counter
    26: good 2.0
    "#);
}

#[test]
fn an_exemplar_that_breaks_a_rule_is_dropped_and_counted() {
    let body = "# TYPE g gauge\ng 1 # {a=\"b\"} 1\n# TYPE c counter\nc_total 1 # {a=\"b\"} x\n# TYPE h histogram\nh_sum 1 # {} 1\nh_bucket{le=\"1\"} 1 # {} 1 NaN\n# EOF\n";
    let decoded = openmetrics(body);
    assert_eq!(refused(&decoded), "");
    assert_eq!(decoded.ignored, [(crate::Ignored::Exemplar, 4)]);
    assert_eq!(decoded.batch.counts().samples(), 4);
    assert_eq!(decoded.batch.counts().exemplars, 0);
}

#[test]
fn a_start_time_is_of_its_own_labels_only() {
    let body = "# TYPE c counter\nc_total{a=\"1\"} 1\nc_created{a=\"1\"} 5\nc_total{a=\"2\"} 1\nc_created{a=\"3\"} 6\nc_total{a=\"3\"} 1\nc_created{a=\"4\"} Inf\nc_total{a=\"4\"} 1\n# EOF\n";
    let decoded = openmetrics(body);
    let starts: Vec<i64> = decoded
        .batch
        .samples()
        .iter()
        .map(|sample| sample.start_ms)
        .collect();
    assert_eq!(starts, [5000, 0, 0, 0, 6000, 0, 0]);
}
