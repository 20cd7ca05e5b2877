//! Users and their passwords, of which only slow hashes are known.
//!
//! A hash that is slow to check for a thief is slow for us too. So what was found right is remembered, and what was found
//! wrong, both under a hash with a key that only this process has; and no more than a few are checked at a time.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use hashbrown::{HashMap, HashSet};
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Semaphore;

use super::Denied;
use super::grant::{Grant, Written};
use crate::config::{BadSetting, UserConfig};
use crate::metrics;

/// How many that are right, and how many that are wrong, are remembered. 32 bytes each.
const MAX_REMEMBERED: usize = 10_000;

/// More wait for their turn than this, and the next is sent away.
const MAX_WAITING: usize = 32;

/// How long one waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// What one check may take of memory, so that two or four at a time are nothing.
const MAX_MEMORY_KIB: u32 = 256 << 10;

/// bcrypt's cost doubles with each step: 14 is about a second.
const MAX_BCRYPT_COST: u32 = 14;

/// The users of one version of the settings.
#[derive(Debug, Default)]
pub(super) struct Users {
    by_name: HashMap<String, User>,
    /// Checked where there is no such user, so that an answer takes as long.
    decoy: Option<Stored>,
    /// None while there was never a user.
    checks: Option<Arc<Checks>>,
}

#[derive(Debug)]
struct User {
    hash: Stored,
    grant: Arc<Grant>,
}

#[derive(Clone)]
enum Stored {
    Argon2(Arc<PasswordHash>, Arc<str>),
    Bcrypt(Arc<str>),
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What is shared by all versions of the settings.
struct Checks {
    key: hmac::Key,
    right: Mutex<HashSet<[u8; 32]>>,
    wrong: Mutex<HashSet<[u8; 32]>>,
    turns: Arc<Semaphore>,
    waiting: Semaphore,
}

impl std::fmt::Debug for Checks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checks")
    }
}

impl Checks {
    fn new() -> Result<Self, BadSetting> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
            (
                "users".to_owned(),
                "the system has no randomness".to_owned(),
            )
        })?;
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Ok(Self {
            key,
            right: Mutex::default(),
            wrong: Mutex::default(),
            // Half of the processors go on with what those who are known send.
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
            waiting: Semaphore::new(MAX_WAITING),
        })
    }

    /// What is remembered of a user, a password, and the hash that it was checked against.
    fn print(&self, user: &str, password: &str, hash: &Stored) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [user, password, hash.text()] {
            context.update(&part.len().to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut print = [0; 32];
        print.copy_from_slice(context.sign().as_ref());
        print
    }

    fn remembered(&self, print: &[u8; 32]) -> Option<bool> {
        if lock(&self.right).contains(print) {
            return Some(true);
        }
        lock(&self.wrong).contains(print).then_some(false)
    }

    fn remember(&self, print: [u8; 32], is_right: bool) {
        let mut prints = lock(if is_right { &self.right } else { &self.wrong });
        if prints.len() >= MAX_REMEMBERED {
            prints.clear();
        }
        prints.insert(print);
    }

    async fn check(&self, print: [u8; 32], password: &str, hash: &Stored) -> Result<bool, Denied> {
        if let Some(is_right) = self.remembered(&print) {
            return Ok(is_right);
        }
        let waiting = self.waiting.try_acquire().map_err(|_| Denied::Busy)?;
        let turn = tokio::time::timeout(MAX_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Denied::Busy);
        };
        drop(waiting);
        // The same may have been checked meanwhile: a sender's connections begin together.
        if let Some(is_right) = self.remembered(&print) {
            return Ok(is_right);
        }
        let (hash, password) = (hash.clone(), password.to_owned());
        let checked = tokio::task::spawn_blocking(move || {
            let is_right = hash.is_of(&password);
            drop(turn);
            is_right
        });
        let is_right = checked.await.unwrap_or(false);
        self.remember(print, is_right);
        Ok(is_right)
    }
}

fn lock(prints: &Mutex<HashSet<[u8; 32]>>) -> MutexGuard<'_, HashSet<[u8; 32]>> {
    prints.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Users {
    pub(super) fn of(
        config: &BTreeMap<String, UserConfig>,
        before: Option<&Self>,
    ) -> Result<Self, BadSetting> {
        let mut by_name = HashMap::new();
        for (name, config) in config {
            let place = format!("users.{name}");
            let hash = Stored::parse(config.password_hash.expose())
                .map_err(|why| (format!("{place}.password_hash"), why))?;
            if name.contains(':') {
                return Err((
                    place,
                    "has a colon, which basic auth cannot send".to_owned(),
                ));
            }
            let grant = Written {
                key: place,
                tenant: config.tenant.as_ref(),
                any_tenant: config.any_tenant,
                source: config.source.as_ref(),
                protocols: &config.protocols,
            };
            let grant = grant.grant()?;
            by_name.insert(name.clone(), User { hash, grant });
        }
        Ok(Self {
            decoy: by_name.values().next().map(|user| user.hash.clone()),
            by_name,
            checks: match before.and_then(|before| before.checks.as_ref()) {
                Some(checks) => Some(Arc::clone(checks)),
                None if config.is_empty() => None,
                None => Some(Arc::new(Checks::new()?)),
            },
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) fn has(&self, user: &str) -> bool {
        self.by_name.contains_key(user)
    }

    pub(super) async fn verify(&self, user: &str, password: &str) -> Result<Arc<Grant>, Denied> {
        let known = self.by_name.get(user);
        let hash = known.map(|known| &known.hash).or(self.decoy.as_ref());
        let (Some(hash), Some(checks)) = (hash, &self.checks) else {
            return Err(Denied::WrongPassword);
        };
        let print = checks.print(user, password, hash);
        let is_right = checks.check(print, password, hash).await;
        metrics::password_checked(match is_right {
            Ok(true) if known.is_some() => "right",
            Ok(_) => "wrong",
            Err(_) => "busy",
        });
        match known {
            Some(known) if is_right? => Ok(Arc::clone(&known.grant)),
            _ => Err(Denied::WrongPassword),
        }
    }
}

impl Stored {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with("$argon2id$") {
            let hash = PasswordHash::new(text).map_err(|error| format!("is no hash: {error}"))?;
            let params = Params::try_from(&hash).map_err(|error| format!("is no hash: {error}"))?;
            if hash.hash.is_none() || hash.salt.is_none() {
                return Err("is a hash without its salt or its end".to_owned());
            }
            if params.m_cost() > MAX_MEMORY_KIB {
                return Err(format!(
                    "takes {} KiB to check, the limit is {MAX_MEMORY_KIB}",
                    params.m_cost()
                ));
            }
            return Ok(Self::Argon2(Arc::new(hash), text.into()));
        }
        if let Ok(parts) = text.parse::<bcrypt::HashParts>() {
            if parts.get_cost() > MAX_BCRYPT_COST {
                return Err(format!(
                    "is bcrypt of cost {}, the limit is {MAX_BCRYPT_COST}",
                    parts.get_cost()
                ));
            }
            return Ok(Self::Bcrypt(text.into()));
        }
        Err(
            "is neither argon2id nor bcrypt; `sluice hash-password` makes one of a password"
                .to_owned(),
        )
    }

    fn text(&self) -> &str {
        match self {
            Self::Argon2(_, text) | Self::Bcrypt(text) => text,
        }
    }

    /// Takes its time. Both compare in constant time.
    fn is_of(&self, password: &str) -> bool {
        match self {
            Self::Argon2(hash, _) => {
                // With the parameters of the hash.
                let argon2 = Argon2::default();
                argon2.verify_password(password.as_bytes(), &**hash).is_ok()
            }
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }
}
