//! Fuzzes `hostile::archive`.
#![no_main]

hostile_fuzz::target!(archive);
