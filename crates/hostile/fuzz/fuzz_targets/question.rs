//! Gives evolving bytes to `hostile::question`.
#![no_main]

hostile_fuzz::target!(question);
