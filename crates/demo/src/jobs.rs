//! Batch jobs, which push once when they are done: the Pushgateway's API.

use std::time::Duration;

use rand::RngExt as _;

use crate::push::{Kind, Push, Sender, Via};
use crate::signal::duration_s;

const NAMES: [(&str, f64); 3] = [("backup", 900.0), ("invoices", 40.0), ("thumbnails", 8.0)];

/// How many jobs there are.
pub(crate) const JOBS: usize = NAMES.len();

/// How many of the others' intervals are between two ends of a job.
const RARER: u32 = 8;

/// One job; one end in twenty is a failure, which pushes no time of success.
pub(crate) fn job(number: usize, every: Duration, seed: u64) -> Sender {
    let (name, typical_s) = NAMES.get(number).copied().unwrap_or(("backup", 900.0));
    let every = every * (RARER + u32::try_from(number).unwrap_or(0));
    Sender::new(Kind::Jobs, every, seed, move |moment| {
        let took_s = duration_s(typical_s, moment.rng);
        let rows = (took_s * moment.rng.random_range(800.0..1200.0)).round();
        let mut body = format!(
            "# TYPE job_duration_seconds gauge\n# HELP job_duration_seconds How long the last run took.\njob_duration_seconds {took_s:.1}\n\
             # TYPE job_rows gauge\n# HELP job_rows Rows that the last run handled.\njob_rows {rows}\n"
        );
        let mut samples = 2;
        if !moment.rng.random_bool(0.05) {
            let line = format!(
                "# TYPE job_last_success_timestamp_seconds gauge\njob_last_success_timestamp_seconds {:.0}\n",
                moment.seconds()
            );
            body.push_str(&line);
            samples += 1;
        }
        vec![Push {
            samples,
            via: Via::Http {
                // A failure keeps the time of the last success.
                replaces: samples == 3,
                path: format!("/metrics/job/{name}/instance/batch-1"),
                content_type: "text/plain; version=0.0.4",
                body,
            },
            tenant: Some("shop"),
            source: name.to_owned(),
        }]
    })
}
