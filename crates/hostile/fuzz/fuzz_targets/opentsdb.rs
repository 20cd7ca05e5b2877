//! Gives evolving bytes to `hostile::opentsdb`.
#![no_main]

hostile_fuzz::target!(opentsdb);
