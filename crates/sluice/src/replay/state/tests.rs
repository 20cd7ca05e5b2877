//! What a replay remembers.

use std::path::Path;

use super::{Identity, Span, State, StateFile};

fn state() -> State {
    let identity = Identity {
        buffer: "kafka:localhost:9092/metrics".to_owned(),
        to: "main".to_owned(),
        choice: "from 24h".to_owned(),
    };
    let span = Span {
        partition: 3,
        from: 10,
        to: 20,
    };
    let mut state = State::new(identity, vec![span], (0, i64::MAX));
    state.next.insert(3, 15);
    state.written = 42;
    state
}

#[test]
fn what_is_saved_is_loaded_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::default_for(folder.path(), "main");
    assert_eq!(file.load().unwrap(), None);
    file.save(&state()).unwrap();
    file.save(&state()).unwrap();
    assert_eq!(file.load().unwrap(), Some(state()));
    file.remove().unwrap();
    file.remove().unwrap();
    assert_eq!(file.load().unwrap(), None);
}

#[test]
fn one_process_at_a_time_replays_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::default_for(folder.path(), "main");
    let lock = file.lock().unwrap();
    let error = file.lock().unwrap_err().to_string();
    assert!(error.contains("another process replays"), "{error}");
    drop(lock);
    file.lock().unwrap();
}

#[test]
fn a_url_is_a_file_name_too() {
    let file = StateFile::default_for(Path::new("data"), "http://vm:8428/api/v1/write");
    assert_eq!(
        file.0,
        Path::new("data/replay/http___vm_8428_api_v1_write.json")
    );
}

#[test]
fn another_file_is_not_taken_for_a_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile(folder.path().join("mine.json"));
    std::fs::write(&file.0, "{}").unwrap();
    let error = format!("{:#}", file.load().unwrap_err());
    assert!(error.contains("--state"), "{error}");
}
