//! Gives evolving bytes to `hostile::log_entry`.
#![no_main]

hostile_fuzz::target!(log_entry);
