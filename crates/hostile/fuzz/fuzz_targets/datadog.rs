//! Gives evolving bytes to `hostile::datadog`.
#![no_main]

hostile_fuzz::target!(datadog);
