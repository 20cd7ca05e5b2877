//! Gives evolving bytes to `hostile::statsd_stream`.
#![no_main]

hostile_fuzz::target!(statsd_stream);
