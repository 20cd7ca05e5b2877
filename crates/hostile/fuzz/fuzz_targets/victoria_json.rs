//! Fuzzes `hostile::victoria_json`.
#![no_main]

hostile_fuzz::target!(victoria_json);
