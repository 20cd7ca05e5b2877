//! Who may send, as it can be changed while a gateway runs.

use service::live::Live;
use service::tasks::Tasks;

use super::{Access, jwks};
use crate::config::{AccessConfig, BadSetting, TenancyConfig};
use crate::origin::Tenants;

/// What can change while a gateway runs.
#[derive(Debug, Clone)]
pub struct Controls {
    pub(crate) tenants: Live<Tenants>,
    pub(crate) access: Live<Access>,
}

impl Controls {
    /// Begins with these settings, which were checked before; what cannot be read since then lets nobody in.
    pub(crate) fn start(access: &AccessConfig, tenancy: &TenancyConfig, tasks: &Tasks) -> Self {
        let access = Access::of(access, None).unwrap_or_else(|(key, why)| {
            tracing::error!("access.{key}: {why}; nobody is let in");
            Access::closed()
        });
        let controls = Self {
            tenants: Live::new(Tenants::of(tenancy)),
            access: Live::new(access),
        };
        let stopping = tasks.stopping();
        let fresh = keep_keys_fresh(controls.access.clone());
        tasks.spawn("access keys", async move {
            stopping.run_until_cancelled(fresh).await;
        });
        controls
    }

    /// Makes of new settings what puts them in force. Requests that are under way are finished under the old ones.
    ///
    /// # Errors
    /// The first key that cannot be, and why; nothing has changed then.
    pub fn prepare(
        &self,
        access: &AccessConfig,
        tenancy: &TenancyConfig,
    ) -> Result<impl FnOnce() + Send + use<>, BadSetting> {
        let section = |name: &str, (key, why): BadSetting| (format!("{name}.{key}"), why);
        tenancy.check().map_err(|bad| section("tenancy", bad))?;
        let tenants = Tenants::of(tenancy);
        let access =
            Access::of(access, Some(&self.access.read())).map_err(|bad| section("access", bad))?;
        let this = self.clone();
        Ok(move || {
            this.tenants.replace(tenants);
            this.access.replace(access);
        })
    }
}

/// Fetches the keys of an identity provider for as long as it is polled, whatever the settings come to be.
async fn keep_keys_fresh(access: Live<Access>) {
    loop {
        let now = access.keep();
        match &now.jwt {
            Some(jwt) => jwt.keep_fresh().await,
            None => jwks::look_again().await,
        }
    }
}
