//! What the check of section `quotas` finds.

use serde_json::json;

use super::QuotasConfig;

fn refused(settings: serde_json::Value) -> (String, String) {
    let config: QuotasConfig = serde_json::from_value(settings).unwrap();
    config.check().unwrap_err()
}

#[test]
fn what_cannot_be_is_named_by_its_key() {
    let refusals = [
        json!({"tenants": {"a": {"samples_per_second": -1}}}),
        json!({"tenants": {"a b": {}}}),
        json!({"default_source": {"requests_burst": 0}}),
        json!({"sources": {"10.0.0.1": {"metric_names": ["a*b"]}}}),
        json!({"metrics": {"*_total": {}}}),
        json!({"metrics": {"": {}}}),
        json!({"window": "10s"}),
        json!({"max_memory": "1KiB"}),
    ]
    .map(|settings| {
        let (key, why) = refused(settings);
        format!("{key} {why}")
    });
    assert_eq!(
        refusals,
        [
            "tenants.a.samples_per_second is -1, not a number above 0",
            "tenants.a b the tenant's name has ' '; it may have a-z, A-Z, 0-9 and !-_.*'()",
            "default_source.requests_burst is 0, not a number above 0",
            "sources.10.0.0.1.metric_names is \"a*b\"; a * may only be the last character",
            "metrics.*_total is \"*_total\"; a * may only be the last character",
            "metrics. is an empty name",
            "window is 10s; at least 1m and at most 168h",
            "max_memory is less than 1MiB",
        ]
    );
}

#[test]
fn the_settings_of_the_documentation_can_be() {
    let settings = json!({
        "default": {"active_series": 200_000, "samples_per_second": 50_000},
        "tenants": {"team-a": {
            "active_series": 2_000_000, "samples_per_second": 500_000, "metric_names": ["team_a_*", "up"],
        }},
        "default_source": {"active_series": 20_000},
        "sources": {"prometheus-1": {"active_series": 1_000_000}},
        "metrics": {"*": {"active_series": 100_000}, "debug_*": {"samples_per_second": 1000}},
    });
    let config: QuotasConfig = serde_json::from_value(settings).unwrap();
    assert_eq!(config.check(), Ok(()));
}
