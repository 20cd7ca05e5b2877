//! What a gateway does with a group that the shared table tells of: for the fuzz targets alone.

use bytes::Bytes;
use prost::Message as _;

use super::Mode;
use super::content::Content;
use super::group::Group;
use super::state::State;

/// Whether it can be read. It is taken, compared with a body, taken again, and taken away.
///
/// # Panics
/// When what is left of it afterwards is not what was there before.
pub(crate) fn read_shared(key: &Bytes, value: &[u8]) -> bool {
    let Ok(group) = Group::decode(value) else {
        return false;
    };
    let again = Group::decode(group.encode_to_vec().as_slice());
    // Not what is no number, which differs from itself.
    assert_eq!(
        again.map(|again| again.encoded_len()).ok(),
        Some(group.encoded_len())
    );
    let ttl = std::time::Duration::from_secs(3600);
    let ends_ms = group.ends_ms(ttl);
    assert!(ends_ms.is_none_or(|ends_ms| ends_ms >= group.touched_ms()));
    group.is_overdue(i64::MAX);
    let content = Content {
        families: group.families.clone(),
        ..Content::default()
    };
    let mut state = State::default();
    for _ in 0..2 {
        state.told(key, Some(group.clone()));
        for mode in [Mode::ReplaceAll, Mode::ReplaceSameNames] {
            state.conflicts(None, Some(&group), mode, &content);
        }
    }
    assert_eq!((state.len(), state.bytes()), (1, group.encoded_len()));
    state.told(key, None);
    assert_eq!((state.len(), state.bytes()), (0, 0));
    true
}
