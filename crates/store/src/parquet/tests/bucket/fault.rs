//! An object store whose client dies at a step, before or after the step has its effect.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Which half of the last step happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dies {
    Before,
    After,
}

/// A store that answers so many times.
#[derive(Debug)]
pub(super) struct Fault {
    inner: Arc<InMemory>,
    left: AtomicUsize,
    dies: Dies,
    ignores_conditions: bool,
}

impl Fault {
    pub(super) fn after(inner: &Arc<InMemory>, steps: usize, dies: Dies) -> Self {
        Self {
            inner: Arc::clone(inner),
            left: AtomicUsize::new(steps),
            dies,
            ignores_conditions: false,
        }
    }

    /// Never answers.
    pub(super) fn dead() -> Self {
        Self::after(&Arc::default(), 0, Dies::Before)
    }

    /// A server that writes whatever the conditions say.
    pub(super) fn without_conditions(inner: &Arc<InMemory>) -> Self {
        Self {
            ignores_conditions: true,
            ..Self::after(inner, usize::MAX, Dies::Before)
        }
    }

    /// Whether it died.
    pub(super) fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    fn gone() -> Error {
        Error::Generic {
            store: "fault",
            source: "the connection is gone".into(),
        }
    }

    fn turn(&self) -> Turn {
        let left = self
            .left
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        match left {
            Err(_) => Turn::Nothing,
            Ok(1) if self.dies == Dies::Before => Turn::Nothing,
            Ok(1) => Turn::WithoutAnswer,
            Ok(_) => Turn::All,
        }
    }

    async fn step<T>(&self, step: impl Future<Output = Result<T>> + Send) -> Result<T> {
        match self.turn() {
            Turn::Nothing => Err(Self::gone()),
            Turn::WithoutAnswer => step.await.and(Err(Self::gone())),
            Turn::All => step.await,
        }
    }
}

/// How much of a step happens.
enum Turn {
    Nothing,
    WithoutAnswer,
    All,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fault")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Fault {
    async fn put_opts(
        &self,
        to: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        if self.ignores_conditions {
            options.mode = PutMode::Overwrite;
        }
        self.step(self.inner.put_opts(to, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.step(self.inner.put_multipart_opts(to, options)).await
    }

    async fn get_opts(&self, from: &Path, options: GetOptions) -> Result<GetResult> {
        self.step(self.inner.get_opts(from, options)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.turn() {
            Turn::Nothing => futures::stream::iter([Err(Self::gone())]).boxed(),
            Turn::WithoutAnswer => {
                let deleted = self.inner.delete_stream(locations);
                deleted.map(|_| Err(Self::gone())).boxed()
            }
            Turn::All => self.inner.delete_stream(locations),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.turn() {
            Turn::All => self.inner.list(prefix),
            Turn::Nothing | Turn::WithoutAnswer => {
                futures::stream::iter([Err(Self::gone())]).boxed()
            }
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.step(self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.step(self.inner.copy_opts(from, to, options)).await
    }
}
