//! Sessions with the server, each with the tables of its own that `COPY` writes to.

use std::path::PathBuf;
use std::pin::pin;

use bytes::Bytes;
use futures::SinkExt as _;
use service::secret::Secret;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::Config;
use super::answer::Trouble;
use super::table::SESSION;
use super::tls::Tls;
use crate::endpoint::{OpenError, read_secret};

/// Makes sessions.
#[derive(Debug)]
pub(super) struct Connector {
    config: tokio_postgres::Config,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    tls: Tls,
}

impl Connector {
    pub(super) fn new(config: &Config) -> Result<Self, OpenError> {
        Ok(Self {
            config: config
                .parsed()
                .map_err(|why| OpenError::setting("url", why))?,
            password: config.password.clone(),
            password_file: config.password_file.clone(),
            tls: Tls::new(&config.tls)?,
        })
    }

    pub(super) async fn connect(&self) -> Result<Session, Trouble> {
        let mut config = self.config.clone();
        if let Some(path) = &self.password_file {
            let password = read_secret(path).await.map_err(Trouble::Misconfigured)?;
            config.password(password.expose());
        } else if let Some(password) = &self.password {
            config.password(password.expose());
        }
        let (client, connection) = config.connect(self.tls.clone()).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // Whoever waits for an answer gets the error.
            connection.await.unwrap_or_default();
        });
        let session = Session {
            client,
            _driver: driver,
        };
        session.batch_execute(SESSION).await?;
        Ok(session)
    }
}

/// A session; dropping it ends it, and what it was doing.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    _driver: JoinSet<()>,
}

impl Session {
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) async fn batch_execute(&self, statements: &str) -> Result<(), Trouble> {
        Ok(self.client.batch_execute(statements).await?)
    }

    /// The first column of the rows of a query, as text.
    pub(super) async fn column(&self, query: &str) -> Result<Vec<String>, Trouble> {
        let rows = self.client.simple_query(query).await?;
        Ok(rows
            .iter()
            .filter_map(|row| match row {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .collect())
    }

    pub(super) async fn copy(&self, statement: &str, body: &Bytes) -> Result<(), Trouble> {
        let mut sink = pin!(self.client.copy_in::<_, Bytes>(statement).await?);
        sink.send(body.clone()).await?;
        sink.finish().await?;
        Ok(())
    }
}
