//! Gives evolving bytes to `hostile::record`.
#![no_main]

hostile_fuzz::target!(record);
