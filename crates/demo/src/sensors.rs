//! Sensors of a plant behind one gateway: InfluxDB line protocol, as Telegraf would send it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::push::{Kind, Push, Sender, Via};
use crate::signal::Level;

const HALLS: [&str; 3] = ["press", "paint", "assembly"];
const SENSORS_PER_HALL: usize = 6;
const FIELDS: [(&str, f64, f64); 3] = [
    ("temperature_celsius", 24.0, 8.0),
    ("humidity_percent", 45.0, 12.0),
    ("vibration", 0.6, 0.7),
];

/// The device that sends for all of them.
pub(crate) fn gateway(every: Duration, seed: u64) -> Sender {
    let mut levels: Vec<Level> = Vec::new();
    Sender::new(Kind::Sensors, every, seed, move |moment| {
        let seconds = moment.seconds();
        let mut values = levels.iter();
        let mut made = Vec::new();
        let mut body = String::new();
        let mut samples = 0;
        for hall in HALLS {
            for sensor in 1..=SENSORS_PER_HALL {
                let mut fields = Vec::new();
                for (field, base, swing) in FIELDS {
                    let level = values
                        .next()
                        .cloned()
                        .unwrap_or_else(|| Level::new(base, swing, moment.rng));
                    fields.push(format!("{field}={:.2}", level.at(seconds, moment.rng)));
                    made.push(level);
                    samples += 1;
                }
                let line = writeln!(
                    body,
                    "sensor,hall={hall},id={hall}-{sensor} {} {}",
                    fields.join(","),
                    moment.now_ms
                );
                line.unwrap_or_default();
            }
        }
        levels = made;
        vec![Push {
            samples,
            via: Via::Http {
                replaces: false,
                path: "/api/v2/write?precision=ms".to_owned(),
                content_type: "text/plain; charset=utf-8",
                body,
            },
            tenant: Some("plant"),
            source: "plant-gateway".to_owned(),
        }]
    })
}
