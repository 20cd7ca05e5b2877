//! Gives evolving bytes to `hostile::parts`.
#![no_main]

hostile_fuzz::target!(parts);
