//! The table in the object store: what is in it, and how that changes, one commit at a time.
//!
//! A commit is an object with the next number that must not be there yet. Whoever comes second reads the
//! first one's and looks again whether what he wanted still makes sense.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload};

use super::actions::{self, Add, Files, Line, Remove};
use crate::parquet::error::Error;
use crate::parquet::random_name;

const LOG: &str = "_delta_log";

/// Somebody else can be faster so many times before it looks like a defect.
const ATTEMPTS: usize = 100;

/// Commits that are read at once.
const READ_AT_ONCE: usize = 16;

/// What a commit does.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) operation: &'static str,
    pub(super) add: Vec<Add>,
    pub(super) remove: Vec<Remove>,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Committed {
    /// It is done, by us, now or in an earlier attempt.
    Done,
    /// A file that it removes is not there any more: what it adds would be there twice.
    Outdated,
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    store: Arc<dyn ObjectStore>,
    /// Nobody else writes, so that conditions are not needed.
    exclusive: bool,
    /// The server was seen to keep a condition.
    proven: bool,
    /// The number of the next commit.
    next: u64,
    pub(super) files: Files,
}

impl Table {
    pub(super) fn new(store: Arc<dyn ObjectStore>, exclusive: bool) -> Self {
        Self {
            store,
            exclusive,
            proven: exclusive,
            next: 0,
            files: Files::default(),
        }
    }

    /// Reads what others have committed, and makes the table when there is none.
    pub(super) async fn refresh(&mut self, now_ms: i64) -> Result<(), Error> {
        self.prove().await?;
        self.begin_again_if_lost().await?;
        self.read_on().await?;
        if self.next == 0 {
            let lines = actions::beginning(uuid(), now_ms);
            if !self.put(0, &lines).await? {
                tracing::debug!("archive: somebody else made the table");
            }
            self.read_on().await?;
        }
        if self.files.metadata.is_none() {
            let why = "its log begins without saying what the table is; was its beginning removed?";
            return Err(Error::Unusable(format!("{LOG}: {why}")));
        }
        Ok(())
    }

    /// Forgets everything when the last commit that was read is there no more: the bucket was emptied or put back, and
    /// a commit after that one would be one that no reader finds.
    async fn begin_again_if_lost(&mut self) -> Result<(), Error> {
        let Some(path) = self.next.checked_sub(1).map(path_of) else {
            return Ok(());
        };
        match self.store.head(&path).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => {
                self.next = 0;
                self.files = Files::default();
                Ok(())
            }
            Err(error) => Err(Error::bucket("look at", &path)(error)),
        }
    }

    /// Makes sure that two commits with one number cannot both succeed.
    async fn prove(&mut self) -> Result<(), Error> {
        let path = Path::from(format!("{LOG}/_sluice_probe"));
        while !self.proven {
            let options = PutMode::Create.into();
            let payload =
                PutPayload::from_static(b"sluice asks whether a second write is refused\n");
            match self.store.put_opts(&path, payload, options).await {
                Err(object_store::Error::AlreadyExists { .. }) => self.proven = true,
                Err(error) => return Err(Error::bucket("write", &path)(error)),
                Ok(_) => {
                    let payload = PutPayload::from_static(b"sluice was not refused\n");
                    match self
                        .store
                        .put_opts(&path, payload, PutMode::Create.into())
                        .await
                    {
                        Err(object_store::Error::AlreadyExists { .. }) => self.proven = true,
                        Err(error) => return Err(Error::bucket("write", &path)(error)),
                        Ok(_) => {
                            let why = "the server ignores If-None-Match, so that two archives could overwrite each other's commits; give each a folder of its own and set object_store.exclusive: true";
                            return Err(Error::Unusable(why.to_owned()));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn read_on(&mut self) -> Result<(), Error> {
        let log = Path::from(LOG);
        let after = self.next.checked_sub(1).map(path_of);
        let listed: Vec<_> = match &after {
            Some(after) => self.store.list_with_offset(Some(&log), after),
            None => self.store.list(Some(&log)),
        }
        .try_collect()
        .await
        .map_err(Error::bucket("list", LOG))?;
        let mut numbers: Vec<u64> = listed
            .iter()
            .filter_map(|object| number_of(&object.location))
            .filter(|number| *number >= self.next)
            .collect();
        numbers.sort_unstable();
        let store = Arc::clone(&self.store);
        let mut commits = futures::stream::iter(numbers)
            .map(|number| {
                let store = Arc::clone(&store);
                async move { Ok::<_, Error>((number, read(&store, &path_of(number)).await?)) }
            })
            .buffered(READ_AT_ONCE);
        while let Some((number, text)) = commits.try_next().await? {
            if number != self.next {
                let path = path_of(self.next);
                return Err(Error::Unusable(format!("{path} is missing")));
            }
            let text = String::from_utf8_lossy(&text);
            let applied = self.files.apply(&text);
            applied.map_err(|why| Error::Unusable(format!("{}: {why}", path_of(number))))?;
            self.next = number + 1;
        }
        Ok(())
    }

    /// Adds and removes files, all or none.
    pub(super) async fn commit(&mut self, change: Change, now_ms: i64) -> Result<Committed, Error> {
        let mut lines = vec![actions::commit_info(change.operation, now_ms)];
        lines.extend(change.remove.iter().map(|remove| Line {
            remove: Some(remove.clone()),
            ..Line::default()
        }));
        lines.extend(change.add.iter().map(|add| Line {
            add: Some(add.clone()),
            ..Line::default()
        }));
        for _ in 0..ATTEMPTS {
            // An answer that was lost looks like a commit of somebody else.
            let is_known = |add: &Add| self.files.knows(&add.path);
            let is_live = |remove: &Remove| self.files.live.contains_key(&remove.path);
            if !change.add.is_empty() && change.add.iter().all(is_known) {
                return Ok(Committed::Done);
            }
            if !change.remove.iter().all(is_live) {
                return Ok(Committed::Outdated);
            }
            self.put(self.next, &lines).await?;
            self.read_on().await?;
            if change.add.is_empty()
                && !change
                    .remove
                    .iter()
                    .any(|remove| self.files.live.contains_key(&remove.path))
            {
                return Ok(Committed::Done);
            }
        }
        Err(Error::Unusable(format!(
            "no commit in {ATTEMPTS} attempts: somebody else was always faster"
        )))
    }

    /// Writes a commit unless its number is taken.
    async fn put(&self, number: u64, lines: &[Line]) -> Result<bool, Error> {
        let path = path_of(number);
        let text = actions::text(lines).map_err(|error| Error::Unusable(error.to_string()))?;
        let mode = if self.exclusive {
            match self.store.head(&path).await {
                Ok(_) => return Ok(false),
                Err(object_store::Error::NotFound { .. }) => PutMode::Overwrite,
                Err(error) => return Err(Error::bucket("look at", &path)(error)),
            }
        } else {
            PutMode::Create
        };
        match self.store.put_opts(&path, text.into(), mode.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(Error::bucket("write", &path)(error)),
        }
    }
}

async fn read(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Bytes, Error> {
    let answer = store.get(path).await.map_err(Error::bucket("read", path))?;
    answer.bytes().await.map_err(Error::bucket("read", path))
}

fn path_of(number: u64) -> Path {
    Path::from(format!("{LOG}/{number:020}.json"))
}

fn number_of(path: &Path) -> Option<u64> {
    let digits = path.filename()?.strip_suffix(".json")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// Random, in the shape that readers want a table's name in.
fn uuid() -> String {
    let digits = random_name() + &random_name();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if [8, 12, 16, 20].contains(&at) {
            text.push('-');
        }
        // A random one, of the version that is.
        text.push(match at {
            12 => '4',
            16 => '8',
            _ => digit,
        });
    }
    text
}
