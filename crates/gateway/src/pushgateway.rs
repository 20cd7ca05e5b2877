//! Groups of metrics that batch jobs push, kept until they are replaced, deleted or have expired.
//!
//! A push is answered when its samples are in the buffer and the group is in the shared table. Changes of one group
//! happen one after the other, and everything that ends is marked as ended in the stream.

mod beat;
mod content;
mod follow;
mod fuzzed;
mod group;
mod locks;
mod options;
mod path;
mod samples;
mod show;
mod state;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use buffer::Durability;
use bytes::Bytes;
use foldhash::HashMap;
use model::{Code, Refusal};
use prost::Message as _;
use service::tasks::Tasks;
use service::units::Size;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::{Instant, timeout_at};

pub(crate) use content::{Content, NO_TIME};
pub(crate) use fuzzed::read_shared;
use group::{Family, Group};
use locks::Locks;
pub(crate) use options::PushOptions;
pub(crate) use path::{GroupLabels, group as group_of_path};
use samples::Samples;
pub(crate) use show::{shown, shown_all};
use state::State;
use table::AnyTable;
pub use table::PushGroups;

use crate::config::PushgatewayConfig;
use crate::error::Error;
use crate::ingest::{Origin, Pipeline, Policy};
use crate::protocol::pushgateway::PROTOCOL;

/// The label `protocol` of samples that nobody sent: repetitions, push times, and markers of what ended.
pub(crate) const OWN_PROTOCOL: &str = "pushgateway_own";

/// The groups of all tenants.
pub(crate) struct Groups {
    config: PushgatewayConfig,
    pipeline: Arc<Pipeline>,
    table: Box<dyn AnyTable>,
    state: Mutex<State>,
    locks: Locks,
    is_known: watch::Sender<bool>,
    /// The start of the identities that this process gives to states of groups.
    process: [u8; 8],
    numbers: std::sync::atomic::AtomicU64,
}

/// What a push does to the families that its group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// PUT: none of them stays.
    ReplaceAll,
    /// POST: those of the same names go.
    ReplaceSameNames,
}

/// One group of one tenant, and what the request says about it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub origin: Origin,
    pub labels: GroupLabels,
}

impl Target {
    fn key(&self) -> Bytes {
        group::key(self.tenant(), &self.labels).into()
    }

    fn tenant(&self) -> Option<&str> {
        self.origin.tenant.as_deref()
    }
}

impl Groups {
    /// The groups in a table, followed and repeated by tasks of their own.
    pub(crate) fn start(
        config: &PushgatewayConfig,
        shared: PushGroups,
        pipeline: Arc<Pipeline>,
        tasks: &Tasks,
    ) -> Arc<Self> {
        use std::hash::BuildHasher as _;
        let process = foldhash::quality::RandomState::default()
            .hash_one(std::time::Instant::now())
            .to_be_bytes();
        let groups = Arc::new(Self {
            config: config.clone(),
            pipeline,
            table: shared.table,
            state: Mutex::default(),
            locks: Locks::default(),
            is_known: watch::Sender::new(false),
            process,
            numbers: std::sync::atomic::AtomicU64::new(0),
        });
        let stopping = tasks.stopping();
        let following = follow::run(Arc::clone(&groups), shared.follow);
        tasks.spawn("pushgateway groups", async move {
            stopping.run_until_cancelled(following).await;
        });
        let stopping = tasks.stopping();
        let beating = beat::run(Arc::clone(&groups));
        tasks.spawn("pushgateway repeat", async move {
            stopping.run_until_cancelled(beating).await;
        });
        groups
    }

    /// Takes a push: all of it, or nothing.
    ///
    /// # Errors
    /// When the content cannot be, or contradicts other groups, or is not known to be durable.
    pub(crate) async fn push(
        &self,
        target: &Target,
        mode: Mode,
        options: &PushOptions,
        mut content: Content,
    ) -> Result<Option<Durability>, Error> {
        let deadline = self.deadline();
        let key = target.key();
        let guard = self.lock(&key, deadline).await?;
        let (old, now_ms) = self.living(&key, deadline).await?;
        let mut group = next_group(target, old.as_deref(), mode, options, &content, now_ms)?;
        group.id = self.new_id();
        self.check_room(&group, old.as_deref())?;
        let conflicts = self
            .state()
            .conflicts(target.tenant(), old.as_deref(), mode, &content);
        content.refused.extend(conflicts);
        content.refuse_each_once();

        let mut own = Samples::default();
        own.add_own(&group, now_ms);
        if let Some(old) = &old {
            add_ended(&mut own, old, &group, now_ms);
        }
        let pipeline = &self.pipeline;
        let pushed = samples::pushed(&content, now_ms);
        let policy = Policy::AllOrNothing;
        let submitted = pipeline.submit(PROTOCOL, &target.origin, policy, pushed)?;
        // From here on the order in which records go to the buffer is decided.
        let policy = Policy::StoreTheGood;
        let own = pipeline.submit(OWN_PROTOCOL, &target.origin, policy, own.finish())?;
        let pushed = pipeline.settle(submitted, deadline).await?;
        let own = pipeline.settle(own, deadline).await?;
        if content.samples.is_empty() && !own.refusals.is_empty() {
            // The path's labels break a rule, which only samples with them can show.
            return Err(Error::Batch(own.refusals));
        }
        self.put(&key, Some(group), deadline).await?;
        drop(guard);
        Ok(pushed.durability.max(own.durability))
    }

    /// Notes that a push was refused, where the group can be kept.
    pub(crate) async fn fail(&self, target: &Target) -> Result<(), Error> {
        let deadline = self.deadline();
        let key = target.key();
        let guard = self.lock(&key, deadline).await?;
        let (old, now_ms) = self.living(&key, deadline).await?;
        let mut group = old.as_deref().cloned().unwrap_or_else(|| {
            // Nothing was ever taken.
            Group::new(target.tenant(), &target.labels)
        });
        group.failure_ms = now_ms;
        group.id = self.new_id();
        self.check_room(&group, old.as_deref())?;
        let mut own = Samples::default();
        own.add_own(&group, now_ms);
        let policy = Policy::AllOrNothing;
        let own = self
            .pipeline
            .submit(OWN_PROTOCOL, &target.origin, policy, own.finish())?;
        self.pipeline.settle(own, deadline).await?;
        self.put(&key, Some(group), deadline).await?;
        drop(guard);
        Ok(())
    }

    /// Ends a group, if it is there.
    ///
    /// # Errors
    /// When its end is not known to be durable.
    pub(crate) async fn delete(&self, target: &Target) -> Result<Option<Durability>, Error> {
        let deadline = self.deadline();
        let key = target.key();
        let guard = self.lock(&key, deadline).await?;
        let durability = match self.living(&key, deadline).await? {
            (Some(old), now_ms) => self.end(&key, &old, now_ms, deadline).await?,
            (None, _) => None,
        };
        drop(guard);
        Ok(durability)
    }

    /// A group as it is now.
    ///
    /// # Errors
    /// When the groups are not known yet.
    pub(crate) fn find(&self, target: &Target) -> Result<Option<Arc<Group>>, Error> {
        self.check_known()?;
        let now_ms = self.pipeline.clock.now_ms();
        let found = self.state().get(&target.key());
        Ok(found.filter(|group| !self.has_ended(group, now_ms)))
    }

    /// All groups of a tenant.
    ///
    /// # Errors
    /// When the groups are not known yet.
    pub(crate) fn list(&self, tenant: Option<&str>) -> Result<Vec<Arc<Group>>, Error> {
        self.check_known()?;
        let now_ms = self.pipeline.clock.now_ms();
        let all = self.state().all();
        Ok(all
            .into_iter()
            .map(|(_, group)| group)
            .filter(|group| group.tenant.as_deref() == tenant && !self.has_ended(group, now_ms))
            .collect())
    }

    /// When a group ends by itself.
    pub(crate) fn ends_ms(&self, group: &Group) -> Option<i64> {
        group.ends_ms(self.config.ttl.0)
    }

    /// The most that a group may have.
    pub(crate) fn max_group(&self) -> Size {
        self.config.max_group
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.pipeline.clock.now_ms()
    }

    fn has_ended(&self, group: &Group, now_ms: i64) -> bool {
        self.ends_ms(group).is_some_and(|ends_ms| ends_ms <= now_ms)
    }

    /// A group as it is, and the time of what happens to it now. One whose time is over ends before anything else
    /// happens to it, as if the beat had come sooner. Its lock is held.
    async fn living(
        &self,
        key: &Bytes,
        deadline: Instant,
    ) -> Result<(Option<Arc<Group>>, i64), Error> {
        let old = self.state().get(key);
        let now_ms = self.next_ms(old.as_deref());
        let Some(over) = old.as_ref().filter(|old| self.has_ended(old, now_ms)) else {
            return Ok((old, now_ms));
        };
        let ends_ms = self.ends_ms(over).unwrap_or(now_ms);
        self.end(key, over, ends_ms, deadline).await?;
        Ok((None, now_ms.max(ends_ms.saturating_add(1))))
    }

    /// Marks the series of a group as ended, and deletes it. Its lock is held.
    async fn end(
        &self,
        key: &Bytes,
        group: &Group,
        at_ms: i64,
        deadline: Instant,
    ) -> Result<Option<Durability>, Error> {
        let mut ended = Samples::default();
        ended.add_all_ended(group, at_ms);
        let origin = origin_of(group);
        let policy = Policy::StoreTheGood;
        let submitted = self
            .pipeline
            .submit(OWN_PROTOCOL, &origin, policy, ended.finish())?;
        let outcome = self.pipeline.settle(submitted, deadline).await?;
        self.put(key, None, deadline).await?;
        Ok(outcome.durability)
    }

    /// Makes a change durable, then lets it count here.
    async fn put(&self, key: &Bytes, group: Option<Group>, deadline: Instant) -> Result<(), Error> {
        let value = group.as_ref().map(|group| group.encode_to_vec().into());
        let id = group.as_ref().map(|group| group.id.clone());
        self.state().begin(key, id);
        let timeout_ms = self.pipeline.request_timeout.as_millis();
        let put = match timeout_at(deadline, self.table.put(key.clone(), value)).await {
            Ok(put) => put.map_err(Error::from),
            Err(_) => Err(Error::Timeout { timeout_ms }),
        };
        match put {
            Ok(()) => self.state().confirm(key, group),
            Err(_) => self.state().give_up(key),
        }
        put
    }

    /// The only one to change this group, once what it was is known.
    async fn lock(&self, key: &Bytes, deadline: Instant) -> Result<OwnedMutexGuard<()>, Error> {
        let mut is_known = self.is_known.subscribe();
        let known = timeout_at(deadline, is_known.wait_for(|is_known| *is_known))
            .await
            .is_ok_and(|known| known.is_ok());
        if !known {
            return Err(unknown());
        }
        let timeout_ms = self.pipeline.request_timeout.as_millis();
        timeout_at(deadline, self.locks.lock(key))
            .await
            .map_err(|_| Error::Timeout { timeout_ms })
    }

    pub(crate) fn check_known(&self) -> Result<(), Error> {
        if *self.is_known.borrow() {
            Ok(())
        } else {
            Err(unknown())
        }
    }

    fn check_room(&self, group: &Group, old: Option<&Group>) -> Result<(), Error> {
        let (bytes, old_bytes) = (group.encoded_len(), old.map_or(0, Group::encoded_len));
        let limit = self.config.max_group;
        if bytes > limit.bytes() {
            return Err(content::too_large(limit).into());
        }
        if bytes <= old_bytes {
            return Ok(());
        }
        let (groups, all_bytes) = {
            let state = self.state();
            (state.len(), state.bytes() - old_bytes.min(state.bytes()))
        };
        if old.is_none() && groups >= self.config.max_groups {
            let why = format!(
                "there are {groups} groups, which is the limit (pushgateway.max_groups); delete some, or let them expire"
            );
            return Err(Refusal::new(Code::Overloaded, why).into());
        }
        let limit = self.config.max_size;
        if all_bytes.saturating_add(bytes) > limit.bytes() {
            let why = format!(
                "all groups together would have more than {limit} (pushgateway.max_size); delete some, or let them expire"
            );
            return Err(Refusal::new(Code::Overloaded, why).into());
        }
        Ok(())
    }

    /// Now, but after what last happened to the group: a time says which of two values is the later one.
    fn next_ms(&self, old: Option<&Group>) -> i64 {
        let now_ms = self.pipeline.clock.now_ms();
        let after_ms = old.map_or(i64::MIN, |old| old.touched_ms().saturating_add(1));
        // What is further ahead was another clock's mistake, not to be carried on.
        if after_ms > now_ms.saturating_add(MOST_AHEAD_MS) {
            return now_ms;
        }
        now_ms.max(after_ms)
    }

    fn new_id(&self) -> Vec<u8> {
        use std::sync::atomic::Ordering;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        [self.process, number.to_be_bytes()].concat()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.pipeline.request_timeout
    }
}

fn unknown() -> Error {
    let why = "this gateway is still reading what groups there are; send it again in a second";
    Refusal::new(Code::BufferUnavailable, why).into()
}

fn origin_of(group: &Group) -> Origin {
    Origin {
        tenant: group.tenant.as_deref().map(Arc::from),
        source: None,
    }
}

/// The group after a push.
fn next_group(
    target: &Target,
    old: Option<&Group>,
    mode: Mode,
    options: &PushOptions,
    content: &Content,
    now_ms: i64,
) -> Result<Group, Error> {
    let mut group = Group::new(target.tenant(), &target.labels);
    group.push_ms = now_ms;
    let mut families: std::collections::BTreeMap<&str, Family> = std::collections::BTreeMap::new();
    if let Some(old) = old {
        group.failure_ms = old.failure_ms;
        group.ttl_ms = old.ttl_ms;
        group.expect_every_ms = old.expect_every_ms;
        if mode == Mode::ReplaceSameNames {
            let kept = old.families.iter();
            families.extend(kept.map(|family| (family.name.as_str(), family.clone())));
        }
    }
    for family in &content.families {
        let family_now = Family {
            push_ms: now_ms,
            ..family.clone()
        };
        families.insert(family.name.as_str(), family_now);
    }
    group.families = families.into_values().collect();
    options.apply(&mut group)?;
    Ok(group)
}

/// Marks the series that the group had and has no more.
fn add_ended<'a>(samples: &mut Samples<'a>, old: &'a Group, group: &'a Group, now_ms: i64) {
    let mut kept: HashMap<(&str, &[group::Label]), ()> = HashMap::default();
    for series in group.series() {
        kept.insert((series.name.as_str(), series.labels.as_slice()), ());
    }
    for family in &old.families {
        for series in &family.series {
            if !kept.contains_key(&(series.name.as_str(), series.labels.as_slice())) {
                samples.add_ended(family, series, now_ms);
            }
        }
    }
    if old.due_ms().is_some() && group.due_ms().is_none() {
        samples.add_overdue_ended(old, now_ms);
    }
}

/// How far the clocks of gateways may differ.
const MOST_AHEAD_MS: i64 = 60_000;

/// As long as people may wait for an answer about work that has no request.
const OWN_WORK: Duration = Duration::from_secs(30);

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
