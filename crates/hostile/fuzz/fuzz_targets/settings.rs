//! Gives evolving bytes to `hostile::settings`.
#![no_main]

hostile_fuzz::target!(settings);
