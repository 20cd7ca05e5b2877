//! Gives evolving bytes to `hostile::victoria_json`.
#![no_main]

hostile_fuzz::target!(victoria_json);
