//! The test vectors of the OpenMetrics project.
