//! A small made-up fleet that sends to a Sluice, so that there is something to look at.
//!
//! Hosts with agents, services with OpenTelemetry, sensors, probes, batch jobs, StatsD, and one sender that does
//! nearly everything wrong: each over its own protocol, for its own tenant. The values look like a day's load; they
//! mean nothing.

mod agents;
mod jobs;
mod legacy;
mod probes;
mod push;
mod report;
mod run;
mod sensors;
mod services;
mod signal;
mod web;

use std::time::Duration;

use push::Sender;
pub use report::Report;
pub use run::{DemoError, run};

/// What is sent where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The public listener, such as `http://localhost:8080`.
    pub url: String,
    /// The StatsD listener, such as `localhost:8125`; without it nothing is sent over UDP.
    pub statsd: Option<String>,
    /// How many hosts have an agent. Services, sensors and jobs do not get more with them.
    pub hosts: usize,
    /// How often each of them sends.
    pub interval: Duration,
    /// What their values are made from: the same seed makes the same fleet.
    pub seed: u64,
}

/// Everybody who sends.
fn fleet(options: &Options, now_ms: i64) -> Vec<Sender> {
    let mut senders = Vec::new();
    let mut seed = options.seed;
    let mut add = |make: &mut dyn FnMut(u64) -> Sender| {
        // Neighbours must not move in step.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        senders.push(make(seed));
    };
    for host in 0..options.hosts {
        add(&mut |seed| agents::agent(host, options.interval, seed));
    }
    for instance in 0..services::INSTANCES {
        add(&mut |seed| services::instance(instance, options.interval, now_ms, seed));
    }
    add(&mut |seed| sensors::gateway(options.interval, seed));
    add(&mut |seed| probes::prober(options.interval, seed));
    for job in 0..jobs::JOBS {
        add(&mut |seed| jobs::job(job, options.interval, seed));
    }
    if options.statsd.is_some() {
        add(&mut |seed| web::workers(options.interval, seed));
    }
    add(&mut |seed| legacy::script(options.interval, seed));
    senders
}

#[cfg(test)]
mod tests;
