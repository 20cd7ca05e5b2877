//! Users and their passwords.

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};

use super::{AccessConfig, Server, basic, post, required, status};
use crate::config::UserConfig;

/// A hash that a test can check quickly.
fn argon2(password: &str) -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .unwrap()
        .to_string()
}

fn users(users: &[(&str, &str)]) -> Server {
    required(|access| {
        for (name, hash) in users {
            let user = UserConfig {
                password_hash: (*hash).into(),
                tenant: Some("acme".to_owned()),
                ..UserConfig::default()
            };
            access.users.insert((*name).to_owned(), user);
        }
    })
}

async fn ask(server: &Server, user: &str, password: &str) -> u16 {
    let request = post("/metrics").header("authorization", basic(user, password));
    status(server, request).await
}

#[tokio::test]
async fn a_password_is_checked_against_its_hash_of_either_kind() {
    let bcrypt = bcrypt::hash("correct horse", 4).unwrap();
    let server = users(&[("ann", &argon2("battery staple")), ("bob", &bcrypt)]);
    for (user, password, expected) in [
        ("ann", "battery staple", 200),
        ("bob", "correct horse", 200),
        ("ann", "correct horse", 401),
        ("bob", "", 401),
        ("eve", "battery staple", 401),
        ("", "", 401),
    ] {
        // The second time from memory.
        for _ in 0..2 {
            assert_eq!(ask(&server, user, password).await, expected, "{user}");
        }
    }
    assert_eq!(ask(&server, "anybody", super::KEY).await, 200);
    let record = server.buffer.confirmed().remove(0);
    assert_eq!(record.tenant.as_deref(), Some("acme"));
}

#[tokio::test]
async fn what_the_sluice_command_prints_is_taken() {
    let server = users(&[("ann", &super::super::hash_password("pa:ss wörd").unwrap())]);
    assert_eq!(ask(&server, "ann", "pa:ss wörd").await, 200);
}

#[tokio::test]
async fn a_changed_password_is_another_one_at_once() {
    let server = users(&[("ann", &argon2("old"))]);
    assert_eq!(ask(&server, "ann", "old").await, 200);
    let mut access = AccessConfig::default();
    let user = UserConfig {
        password_hash: argon2("new").as_str().into(),
        ..UserConfig::default()
    };
    access.users.insert("ann".to_owned(), user);
    let controls = server.gateway.controls();
    controls
        .prepare(&access, &super::TenancyConfig::default())
        .unwrap()();
    assert_eq!(ask(&server, "ann", "old").await, 401);
    assert_eq!(ask(&server, "ann", "new").await, 200);
}

#[tokio::test]
async fn a_flood_of_wrong_passwords_is_turned_away_and_the_known_are_served() {
    // About a tenth of a second each, without optimisation.
    let server = users(&[("ann", &bcrypt::hash("right", 6).unwrap())]);
    assert_eq!(ask(&server, "ann", "right").await, 200);
    let wrong: Vec<String> = (0..200).map(|number| format!("wrong {number}")).collect();
    let flood = futures::future::join_all(wrong.iter().map(|wrong| ask(&server, "ann", wrong)));
    let known = async {
        tokio::task::yield_now().await;
        ask(&server, "ann", "right").await
    };
    let (answers, known) = tokio::join!(flood, known);
    assert_eq!(known, 200);
    assert!(answers.contains(&503), "{answers:?}");
    assert!(
        answers.iter().all(|status| [401, 503].contains(status)),
        "{answers:?}"
    );
}

#[test]
fn a_hash_that_takes_too_much_or_is_none_is_refused() {
    let refused = |hash: &str| {
        let mut access = AccessConfig::default();
        let user = UserConfig {
            password_hash: hash.into(),
            ..UserConfig::default()
        };
        access.users.insert("ann".to_owned(), user);
        let (key, why) = access.check().unwrap_err();
        assert_eq!(key, "users.ann.password_hash");
        assert!(!why.contains("hunter2"), "{why}");
    };
    refused("hunter2");
    refused("");
    refused("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=");
    refused(&bcrypt::hash("x", 4).unwrap().replace("$04$", "$16$"));
    refused("$argon2id$v=19$m=1048576,t=1,p=1$c29tZXNhbHRzb21l$c29tZWhhc2hzb21laGFzaHNvbWU");
    refused("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21l");
}
