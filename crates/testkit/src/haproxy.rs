//! A real load balancer before several gateways: HAProxy, as an operator would set it up.
//!
//! Debian's package, unpacked and not installed. A server is asked for its readiness on its admin
//! port. What a connection that is closing did not answer is sent to another one.

use std::fmt::Write as _;
use std::time::Duration;

use crate::{Launch, Process, free_port, run_dir};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// A server behind it.
#[derive(Debug, Clone, Copy)]
pub struct Backend {
    /// Its port of 127.0.0.1 for requests.
    pub port: u16,
    /// Its port of 127.0.0.1 that answers `/readyz`.
    pub check_port: u16,
}

/// A running load balancer; dropping it kills it.
#[derive(Debug)]
pub struct Haproxy {
    port: u16,
    process: Process,
}

impl Haproxy {
    /// Starts one before these servers.
    ///
    /// # Panics
    ///
    /// When it cannot be fetched or does not start.
    #[must_use]
    pub fn start(backends: &[Backend]) -> Self {
        let (port, folder) = (free_port(), run_dir("haproxy"));
        let mut settings = format!(
            "global\n  maxconn 2000\n\
             defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 30s\n  timeout check 2s\n  \
             option redispatch 1\n  retries 3\n  retry-on conn-failure empty-response\n\
             listen gateways\n  bind 127.0.0.1:{port}\n  balance leastconn\n  option httpchk GET /readyz\n  \
             default-server check inter 200ms fall 1 rise 1\n"
        );
        for (number, backend) in (1..).zip(backends) {
            writeln!(
                settings,
                "  server gateway-{number} 127.0.0.1:{} port {}",
                backend.port, backend.check_port
            )
            .unwrap_or_default();
        }
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, settings).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let program = crate::fetched::fetched("haproxy").join("usr/bin/haproxy");
        let process = Launch::new("haproxy", program)
            .args(["-db", "-f"])
            .arg(&file)
            .log_to(folder.join("haproxy.log"))
            .start();
        process.wait_for_port(port, START_DEADLINE);
        Self { port, process }
    }

    /// Where clients connect, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process, to pause or kill it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}
