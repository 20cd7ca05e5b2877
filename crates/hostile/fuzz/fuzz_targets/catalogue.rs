//! Fuzzes `hostile::catalogue`.
#![no_main]

hostile_fuzz::target!(catalogue);
