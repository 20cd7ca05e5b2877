//! What is taken anew, what needs a restart, and what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::compare::{changed, is_live};
use super::files::Fingerprint;
use super::{Apply, Reloader, Reloads};
use crate::settings::{Role, Source};

struct Running {
    file: std::path::PathBuf,
    reloader: Reloader,
    applied: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

fn start(yaml: &str) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sluice.yaml");
    std::fs::write(&file, yaml).unwrap();
    let source = Source::new(Role::Standalone, Some(file.clone()), Vec::new());
    let settings = source.load().unwrap();
    let reloads = Reloads::default();
    let applied = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&applied);
    reloads.on(move |settings| {
        if settings.tenancy.header == "X-Refused" {
            return Err(("tenancy.header".to_owned(), "is not liked".to_owned()));
        }
        let count = Arc::clone(&count);
        Ok(Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }) as Apply)
    });
    let reloader = Reloader::new(source, &settings, reloads).unwrap();
    Running {
        file,
        reloader,
        applied,
        _folder: folder,
    }
}

impl Running {
    fn write(&mut self, yaml: &str) -> Result<(), String> {
        std::fs::write(&self.file, yaml).unwrap();
        let name = self.file.display().to_string();
        self.reloader
            .try_reload("test")
            .map_err(|why| why.replace(&name, "FILE"))
    }

    fn applied(&self) -> usize {
        self.applied.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_bad_file_is_refused_with_its_key_and_changes_nothing() {
    let mut running = start("tenancy: {header: X-One}\n");
    let before = running.reloader.in_force.clone();
    assert_eq!(
        running.write("tenancy: {header: X-Two}\nhttp: {max_connections: 0}\n"),
        Err("FILE:2: http.max_connections: must be larger than 0".to_owned())
    );
    assert!(running.write("tenancy: {header: [").is_err());
    assert_eq!(
        (running.applied(), &running.reloader.in_force),
        (0, &before)
    );
}

#[tokio::test]
async fn a_part_that_refuses_keeps_all_parts_as_they_were() {
    let mut running = start("");
    let other = Arc::clone(&running.applied);
    running.reloader.reloads.on(move |_| {
        let other = Arc::clone(&other);
        Ok(Box::new(move || {
            other.fetch_add(10, Ordering::Relaxed);
        }) as Apply)
    });
    assert_eq!(
        running.write("tenancy: {header: X-Refused}\n"),
        Err("FILE:1: tenancy.header: is not liked".to_owned())
    );
    assert_eq!(running.applied(), 0);
    running.write("tenancy: {header: X-Taken}\n").unwrap();
    assert_eq!(running.applied(), 11);
}

#[tokio::test]
async fn a_removed_file_is_refused() {
    let mut running = start("");
    std::fs::remove_file(&running.file).unwrap();
    let refused = running.reloader.try_reload("test").unwrap_err();
    assert!(refused.contains("cannot be read"), "{refused}");
}

#[test]
fn what_differs_is_named_to_its_leaf() {
    let old = json!({"a": {"b": 1, "gone": true}, "c": [1], "same": "x"});
    let new = json!({"a": {"b": 2, "new": {"d": 1}}, "c": [2], "same": "x"});
    assert_eq!(changed(&old, &new), ["a.b", "a.gone", "a.new", "c"]);
}

#[test]
fn tls_is_renewed_but_not_switched_on() {
    let without = json!({"http": {"tls": null}});
    let with = json!({"http": {"tls": {"certificate": "a"}}});
    let key = "http.tls.certificate";
    assert!(is_live(key, &with, &with));
    assert!(!is_live("http.tls", &without, &with));
    assert!(!is_live(key, &with, &without));
    assert!(is_live("access.keys.ci", &without, &with));
    assert!(!is_live("accessible", &without, &with));
    assert!(!is_live("kafka.topic", &without, &with));
}

#[test]
fn a_swapped_link_is_a_change_and_a_touched_file_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("one"), "1").unwrap();
    std::fs::write(path("two"), "2").unwrap();
    std::os::unix::fs::symlink(path("one"), path("link")).unwrap();
    let files = [path("link"), path("absent")];
    let before = Fingerprint::of(&files);
    std::fs::write(path("one"), "1").unwrap();
    assert_eq!(Fingerprint::of(&files), before);
    std::os::unix::fs::symlink(path("two"), path("next")).unwrap();
    std::fs::rename(path("next"), path("link")).unwrap();
    assert_ne!(Fingerprint::of(&files), before);
}
