//! Fuzzes `hostile::log_entry`.
#![no_main]

hostile_fuzz::target!(log_entry);
