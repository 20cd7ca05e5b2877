//! Fuzzes `hostile::influx`.
#![no_main]

hostile_fuzz::target!(influx);
