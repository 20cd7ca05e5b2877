//! The cases of Prometheus' `otlptranslator` 1.0, in our own format.

use super::Names::Utf8;
use super::{Names, Suffix, unit};

/// Strategy (`_` escapes, `u` does not, `s` has suffixes), metric name, unit, what it is; the name that it gets (`!` is
/// none), and its unit where the table says one.
const METRICS: &str = r##"
_ | simple_metric |  | Ratio | simple_metric |
_ | metric@with#special$chars |  | Ratio | metric_with_special_chars |
_ | 123metric |  | Ratio | _123metric |
_ |  |  | Ratio | ! |
_ | metric@@##$$name |  | Ratio | metric_name |
_ | @#$% |  | Ratio | ! |
_ | @_#_$_% |  | Ratio | ! |
_s | requests |  | Total | requests_total |
_s | cpu_usage | 1 | Ratio | cpu_usage_ratio |
_s | items | 1 | Total | items_total |
_s | response_time | ms | Ratio | response_time_milliseconds | milliseconds
_s | memory_usage | By | Ratio | memory_usage_bytes | bytes
_s | requests | 1/s | Ratio | requests_per_second | per_second
_s | throughput | By/s | Ratio | throughput_bytes_per_second | bytes_per_second
_s | custom_metric | custom_unit | Ratio | custom_metric_custom_unit | custom_unit
_s | custom_metric | {custom} | Ratio | custom_metric |
_s | custom_metric | By/{custom} | Ratio | custom_metric_bytes | bytes
_s | requests_total |  | Total | requests_total |
_s | cpu_usage_ratio | 1 | Ratio | cpu_usage_ratio |
_s | response_time_seconds | s | Ratio | response_time_seconds | seconds
us | requests_total |  | Total | requests_total |
us | cpu_usage_ratio | 1 | Ratio | cpu_usage_ratio |
us | response_time_seconds | s | Ratio | response_time_seconds | seconds
us | cpu_seconds_total | s | Total | cpu_seconds_total | seconds
us | otelcol_process_cpu_seconds | s | Total | otelcol_process_cpu_seconds_total | seconds
_ | ___ |  | Ratio | ___ |
u | ___ |  | Ratio | ___ |
_s | metric__with__multiple__underscores | unit__multiple__underscores | Ratio | metric_with_multiple_underscores_unit_multiple_underscores | unit_multiple_underscores
_s | custom_metric | unit@with#special/chars | Ratio | custom_metric_unit_with_special_per_chars | unit_with_special_per_chars
_s | @#$% |  | Ratio | ! |
u | métric_with_ñ_chars |  | Ratio | métric_with_ñ_chars |
us | requêsts |  | Total | requêsts_total |
us | cpu_usagé | 1 | Ratio | cpu_usagé_ratio |
us | respønse_time | ms | Ratio | respønse_time_milliseconds | milliseconds
us | requêsts | 1/s | Ratio | requêsts_per_second | per_second
us | @#$% |  | Total | @#$%_total |
_s | request_duration | s | None | request_duration_seconds | seconds
_s | request_size | By | None | request_size_bytes | bytes
_s | response_time | ms | None | response_time_milliseconds | milliseconds
_s | active_connections |  | None | active_connections |
_s | unknown_metric |  | None | unknown_metric |
_s | uptime | d | Ratio | uptime_days | days
_s | duration | h | Ratio | duration_hours | hours
_s | timeout | min | Ratio | timeout_minutes | minutes
_s | latency | us | Ratio | latency_microseconds | microseconds
_s | precision_time | ns | Ratio | precision_time_nanoseconds | nanoseconds
_s | cache_size | KiBy | Ratio | cache_size_kibibytes | kibibytes
_s | memory | MiBy | Ratio | memory_mebibytes | mebibytes
_s | storage | GiBy | Ratio | storage_gibibytes | gibibytes
_s | capacity | TiBy | Ratio | capacity_tibibytes | tibibytes
_s | transfer | KBy | Ratio | transfer_kilobytes | kilobytes
_s | download | MBy | Ratio | download_megabytes | megabytes
_s | backup | GBy | Ratio | backup_gigabytes | gigabytes
_s | archive | TBy | Ratio | archive_terabytes | terabytes
_s | distance | m | Ratio | distance_meters | meters
_s | voltage | V | Ratio | voltage_volts | volts
_s | current | A | Ratio | current_amperes | amperes
_s | energy | J | Ratio | energy_joules | joules
_s | power | W | Ratio | power_watts | watts
_s | weight | g | Ratio | weight_grams | grams
_s | temperature | Cel | Ratio | temperature_celsius | celsius
_s | frequency | Hz | Ratio | frequency_hertz | hertz
_s | cpu_usage | % | Ratio | cpu_usage_percent | percent
_s | requests | 1/m | Ratio | requests_per_minute | per_minute
_s | events | 1/h | Ratio | events_per_hour | per_hour
_s | transactions | 1/d | Ratio | transactions_per_day | per_day
_s | reports | 1/w | Ratio | reports_per_week | per_week
_s | invoices | 1/mo | Ratio | invoices_per_month | per_month
_s | renewals | 1/y | Ratio | renewals_per_year | per_year
_s | custom | 1/custom_unit | Ratio | custom_per_custom_unit | per_custom_unit
_s | metric | By/ | Ratio | metric_bytes | bytes
_s | metric |  By / s  | Ratio | metric_bytes_per_second | bytes_per_second
_s | metric | / | Ratio | metric |
_s | http.request.duration | ms | None | http_request_duration_milliseconds | milliseconds
u | http.request.duration | ms | None | http.request.duration | milliseconds
_s | http.requests | 1 | Total | http_requests_total |
u | http.requests | 1 | Total | http.requests |
"##;

#[test]
fn metric_names_are_those_of_prometheus() {
    let mut cases = 0;
    for line in METRICS.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.split('|').map(str::trim);
        let mut next = || parts.next().unwrap();
        let names = match next() {
            "_" => Names::UnderscoresWithoutSuffixes,
            "_s" => Names::UnderscoresWithSuffixes,
            "u" => Utf8,
            "us" => Names::Utf8WithSuffixes,
            other => panic!("{other}"),
        };
        let (name, unit_text) = (next(), next());
        let suffix = match next() {
            "Total" => Suffix::Total,
            "Ratio" => Suffix::Ratio,
            _ => Suffix::None,
        };
        let (expected, unit_expected) = (next(), next());
        let built = names.metric(name, unit_text, suffix);
        assert_eq!(built.as_deref().unwrap_or("!"), expected, "{line}");
        if !unit_expected.is_empty() {
            assert_eq!(unit(unit_text), unit_expected, "{line}");
        }
        cases += 1;
    }
    assert_eq!(cases, 77);
}

const LABELS: &[(&str, &str)] = &[
    ("label:with:colons", "label_with_colons"),
    ("LabelWithCapitalLetters", "LabelWithCapitalLetters"),
    ("label!with&special$chars)", "label_with_special_chars_"),
    (
        "label_with_foreign_characters_字符",
        "label_with_foreign_characters_",
    ),
    ("label.with.dots", "label_with_dots"),
    ("123label", "key_123label"),
    (
        "_label_starting_with_underscore",
        "_label_starting_with_underscore",
    ),
    (
        "__label_starting_with_2underscores",
        "_label_starting_with_2underscores",
    ),
    (
        "label__with__double__underscores",
        "label_with_double_underscores",
    ),
    (
        "label.name__with&&special##chars",
        "label_name_with_special_chars",
    ),
    ("__reserved__label__name__", "__reserved_label_name__"),
    ("trailing_underscores___", "trailing_underscores_"),
];

#[test]
fn label_names_are_those_of_prometheus() {
    for (name, expected) in LABELS {
        let built = Names::default().label(name);
        assert_eq!(built.as_deref(), Some(*expected), "{name}");
        assert_eq!(Utf8.label(name).as_deref(), Some(*name));
    }
    for name in ["", "_", "____", "ようこそ"] {
        assert_eq!(Names::default().label(name), None, "{name}");
    }
    assert_eq!(Utf8.label("__"), None);
}
