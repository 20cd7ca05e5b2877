//! The connection to S3: our HTTP client, signatures by ring, few and short retries.
//!
//! A pass over the archive is repeated for as long as it takes, so what one request tries is kept short.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use service::http_client::{Timeouts, client_with};

use super::config::Config;
use crate::parquet::error::Error;

/// Gives every request the client that all of Sluice uses.
#[derive(Debug)]
struct Ours(reqwest::Client);

impl HttpConnector for Ours {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// The folder of the settings; asks nobody.
pub(super) fn connect(config: &Config) -> Result<Arc<dyn ObjectStore>, Error> {
    let unusable = |error: object_store::Error| Error::Unusable(error.to_string());
    let (bucket, folder) = config
        .place()
        .map_err(|why| Error::Unusable(format!("url {why}")))?;
    let timeouts = Timeouts {
        connect: config.connect_timeout.0,
        request: config.timeout.0,
    };
    let client = client_with(timeouts, &config.tls)?;
    let mut builder = match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(secret)) => AmazonS3Builder::new()
            .with_access_key_id(id)
            .with_secret_access_key(secret.expose()),
        _ => AmazonS3Builder::from_env(),
    };
    if let Some(endpoint) = &config.endpoint {
        builder = builder
            .with_endpoint(endpoint.trim_end_matches('/'))
            .with_allow_http(endpoint.starts_with("http://"));
    }
    let s3 = builder
        .with_region(&config.region)
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(config.virtual_hosted)
        .with_http_connector(Ours(client))
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                max_backoff: Duration::from_secs(2),
                ..BackoffConfig::default()
            },
            max_retries: 3,
            retry_timeout: config.timeout.0.saturating_mul(2),
        })
        .build()
        .map_err(unusable)?;
    Ok(if folder.is_empty() {
        Arc::new(s3)
    } else {
        Arc::new(PrefixStore::new(s3, folder))
    })
}
