//! Gives evolving bytes to `hostile::pushgateway`.
#![no_main]

hostile_fuzz::target!(pushgateway);
