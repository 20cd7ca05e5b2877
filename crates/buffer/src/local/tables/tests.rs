//! Tests of what followers are told, against a map and without a disk.

use proptest::prelude::*;

use super::*;

fn table() -> Arc<str> {
    Arc::from("groups")
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn put(key: &str, value: Option<&str>) -> Put {
    Put {
        table: table(),
        key: bytes(key),
        value: value.map(bytes),
    }
}

fn told(tables: &mut Tables, place: &mut Place) -> Vec<String> {
    std::iter::from_fn(|| tables.next("groups", place))
        .map(|change| match change {
            Change::Put { key, value } => {
                let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
                format!("{}={}", text(key), text(value))
            }
            Change::Deleted { key } => format!("-{}", String::from_utf8(key.to_vec()).unwrap()),
            Change::CaughtUp => "caught up".to_owned(),
        })
        .collect()
}

#[test]
fn a_follower_is_told_what_was_there_then_that_it_caught_up_then_what_happens() {
    let mut tables = Tables::default();
    tables.apply(vec![put("a", Some("1")), put("b", Some("1"))]);
    tables.apply(vec![put("a", Some("2"))]);
    let mut place = tables.join(&table());
    tables.apply(vec![put("b", None), put("c", Some(""))]);
    assert_eq!(
        told(&mut tables, &mut place),
        ["a=2", "caught up", "-b", "c="]
    );
    tables.apply(vec![put("c", Some("1"))]);
    assert_eq!(told(&mut tables, &mut place), ["c=1"]);
}

#[test]
fn a_follower_of_an_empty_table_is_caught_up_at_once_and_once() {
    let mut tables = Tables::default();
    let mut place = tables.join(&table());
    assert_eq!(told(&mut tables, &mut place), ["caught up"]);
    assert_eq!(told(&mut tables, &mut place), Vec::<String>::new());
}

#[test]
fn a_deletion_is_kept_until_every_follower_was_told_and_no_longer() {
    let mut tables = Tables::default();
    tables.apply(vec![put("a", Some("1"))]);
    let mut quick = tables.join(&table());
    let mut slow = tables.join(&table());
    told(&mut tables, &mut quick);
    told(&mut tables, &mut slow);
    tables.apply(vec![put("a", None)]);
    assert_eq!(told(&mut tables, &mut quick), ["-a"]);
    let kept = |tables: &Tables| {
        let contents = &tables.0[&table()];
        assert_eq!(contents.numbers.len(), contents.changes.len());
        contents.changes.len()
    };
    assert_eq!(kept(&tables), 1);
    assert_eq!(told(&mut tables, &mut slow), ["-a"]);
    assert_eq!(kept(&tables), 0);

    tables.apply(vec![put("b", Some("1")), put("b", None)]);
    assert_eq!(kept(&tables), 1);
    tables.leave("groups", quick);
    tables.leave("groups", slow);
    assert_eq!(kept(&tables), 0);
    tables.apply(vec![put("never there", None)]);
    assert_eq!(kept(&tables), 0);
}

#[test]
fn what_the_disk_has_after_a_failure_is_told_as_changes() {
    let mut tables = Tables::default();
    tables.apply(vec![
        put("kept", Some("1")),
        put("changed", Some("1")),
        put("gone", Some("1")),
    ]);
    let mut place = tables.join(&table());
    told(&mut tables, &mut place);
    let stored = [("kept", "1"), ("changed", "2"), ("new", "1")];
    let stored = stored.map(|(key, value)| (bytes(key), bytes(value)));
    let contents = tables.0.get_mut(&table()).unwrap();
    contents.become_equal(stored.into());
    let mut told = told(&mut tables, &mut place);
    told.sort();
    assert_eq!(told, ["-gone", "changed=2", "new=1"]);
}

proptest! {
    #[test]
    fn whoever_follows_has_the_same_map_in_the_end(
        steps in prop::collection::vec((0..3_u8, 0..6_u8, any::<Option<u8>>()), 0..200)
    ) {
        let mut tables = Tables::default();
        let mut model = BTreeMap::new();
        let mut followers: Vec<(Place, BTreeMap<u8, u8>, bool)> = Vec::new();
        let tell = |tables: &mut Tables, follower: &mut (Place, BTreeMap<u8, u8>, bool), most: usize| {
            for _ in 0..most {
                match tables.next("groups", &mut follower.0) {
                    Some(Change::Put { key, value }) => {
                        follower.1.insert(key[0], value[0]);
                    }
                    Some(Change::Deleted { key }) => {
                        follower.1.remove(&key[0]);
                    }
                    Some(Change::CaughtUp) => {
                        assert!(!follower.2, "told once");
                        follower.2 = true;
                    }
                    None => break,
                }
            }
        };
        for (what, key, value) in steps {
            match what {
                0 if followers.len() < 3 => {
                    followers.push((tables.join(&table()), BTreeMap::new(), false));
                }
                1 if !followers.is_empty() => {
                    let at = usize::from(key) % followers.len();
                    tell(&mut tables, &mut followers[at], usize::from(value.unwrap_or(1)));
                }
                _ => {
                    match value {
                        Some(value) => model.insert(key, value),
                        None => model.remove(&key),
                    };
                    let value = value.map(|value| Bytes::from(vec![value]));
                    tables.apply(vec![Put { table: table(), key: Bytes::from(vec![key]), value }]);
                }
            }
        }
        for mut follower in followers {
            tell(&mut tables, &mut follower, usize::MAX);
            prop_assert_eq!(&follower.1, &model);
            prop_assert!(follower.2);
            tables.leave("groups", follower.0);
        }
        let kept = tables.0.get(&table()).map_or(0, |contents| contents.changes.len());
        prop_assert_eq!(kept, model.len());
    }
}
