//! Gives evolving bytes to `hostile::statsd`.
#![no_main]

hostile_fuzz::target!(statsd);
