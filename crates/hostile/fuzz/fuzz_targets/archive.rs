//! Gives evolving bytes to `hostile::archive`.
#![no_main]

hostile_fuzz::target!(archive);
