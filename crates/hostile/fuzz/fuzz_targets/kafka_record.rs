//! Gives evolving bytes to `hostile::kafka_record`.
#![no_main]

hostile_fuzz::target!(kafka_record);
