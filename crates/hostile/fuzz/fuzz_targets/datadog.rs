//! Fuzzes `hostile::datadog`.
#![no_main]

hostile_fuzz::target!(datadog);
