//! Gives evolving bytes to `hostile::influx`.
#![no_main]

hostile_fuzz::target!(influx);
