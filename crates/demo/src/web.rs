//! Workers of an old web application: StatsD over UDP.

use std::time::Duration;

use rand::RngExt as _;

use crate::push::{Kind, Push, Sender, Via};
use crate::signal::{Level, duration_s};

const PAGES: [&str; 4] = ["home", "login", "cart", "admin"];

/// What they all send; a packet per push.
pub(crate) fn workers(every: Duration, seed: u64) -> Sender {
    let mut sessions = None;
    Sender::new(Kind::Web, every, seed, move |moment| {
        let mut lines = Vec::new();
        for page in PAGES {
            let hits = moment.rng.random_range(1..30);
            lines.push(format!("web.hits:{hits}|c|#page:{page}"));
            let took_ms = duration_s(45.0, moment.rng);
            lines.push(format!("web.render:{took_ms:.1}|ms|#page:{page}"));
        }
        let level = sessions.get_or_insert_with(|| Level::new(240.0, 160.0, moment.rng));
        let open = level.at(moment.seconds(), moment.rng);
        lines.push(format!("web.sessions:{open:.0}|g"));
        vec![Push {
            samples: u64::try_from(lines.len()).unwrap_or(u64::MAX),
            via: Via::Packet(lines.join("\n")),
            tenant: None,
            source: "web".to_owned(),
        }]
    })
}
