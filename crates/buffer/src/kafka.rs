//! The buffer on Kafka. The only code that names `rdkafka`.
