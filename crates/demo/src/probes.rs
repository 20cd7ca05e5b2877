//! A prober that looks at addresses from outside: OpenMetrics text.

use std::fmt::Write as _;
use std::time::Duration;

use rand::RngExt as _;

use crate::push::{Kind, Push, Sender, Via};
use crate::signal::duration_s;

const TARGETS: [&str; 5] = [
    "https://shop.example/",
    "https://shop.example/search?q=tea",
    "https://pay.example/health",
    "https://status.example/",
    "https://docs.example/",
];

/// One request to each target per push; one in fifty fails.
pub(crate) fn prober(every: Duration, seed: u64) -> Sender {
    Sender::new(Kind::Probes, every, seed, move |moment| {
        let mut success =
            "# TYPE probe_success gauge\n# HELP probe_success Whether the address answered.\n"
                .to_owned();
        let mut took =
            "# TYPE probe_duration_seconds gauge\n# UNIT probe_duration_seconds seconds\n\
                        # HELP probe_duration_seconds How long the answer took.\n"
                .to_owned();
        let mut samples = 0;
        for target in TARGETS {
            let answered = u8::from(!moment.rng.random_bool(0.02));
            let seconds = duration_s(0.08, moment.rng);
            let lines = writeln!(success, "probe_success{{target=\"{target}\"}} {answered}")
                .and_then(|()| {
                    writeln!(
                        took,
                        "probe_duration_seconds{{target=\"{target}\"}} {seconds:.4}"
                    )
                });
            lines.unwrap_or_default();
            samples += 2;
        }
        vec![Push {
            samples,
            via: Via::Http {
                replaces: false,
                path: "/api/v1/import/prometheus".to_owned(),
                content_type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
                body: format!("{success}{took}# EOF\n"),
            },
            tenant: Some("platform"),
            source: "prober".to_owned(),
        }]
    })
}
