//! Tokens of an identity provider.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as URL};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{AccessConfig, Server, post, required, send, status};
use crate::config::JwtConfig;

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

fn rsa() -> Key {
    let pem = include_str!("../fixtures/rsa.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(base64).unwrap();
    Key::Rsa(RsaKeyPair::from_pkcs8(&der).unwrap())
}

fn p256() -> Key {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    Key::P256(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
}

impl Key {
    fn alg(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
                       "n": URL.encode(public.n), "e": URL.encode(public.e)})
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid,
                       "x": URL.encode(&point[1..33]), "y": URL.encode(&point[33..])})
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
        }
    }

    fn token(&self, kid: &str, claims: &Value) -> String {
        self.token_of(
            &json!({"alg": self.alg(), "kid": kid, "typ": "JWT"}),
            claims,
        )
    }

    fn token_of(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            URL.encode(header.to_string()),
            URL.encode(claims.to_string())
        );
        let signature = self.sign(message.as_bytes());
        format!("{message}.{}", URL.encode(signature))
    }
}

fn now_s() -> i64 {
    service::clock::now_ms() / 1000
}

fn claims() -> Value {
    json!({"iss": "https://id.example/", "aud": "sluice", "sub": "agent-7",
           "exp": now_s() + 600, "team": "acme"})
}

fn without(claim: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(claim);
    claims
}

fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

fn config() -> JwtConfig {
    JwtConfig {
        issuer: "https://id.example/".to_owned(),
        audience: vec!["sluice".to_owned(), "metrics".to_owned()],
        tenant_claim: "team".to_owned(),
        source_claim: "sub".to_owned(),
        ..JwtConfig::default()
    }
}

fn write(folder: &Path, keys: &[Value]) -> JwtConfig {
    let file = folder.join("jwks.json");
    std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    JwtConfig {
        jwks_file: Some(file),
        ..config()
    }
}

fn server(jwt: JwtConfig) -> Server {
    required(|access| access.jwt = Some(jwt))
}

async fn ask(server: &Server, token: &str) -> u16 {
    let request = post("/metrics").header("authorization", format!("Bearer {token}"));
    status(server, request).await
}

#[tokio::test]
async fn a_token_of_either_algorithm_names_tenant_and_source() {
    let folder = tempfile::tempdir().unwrap();
    let (rsa, p256) = (rsa(), p256());
    let server = server(write(folder.path(), &[rsa.jwk("r"), p256.jwk("e")]));
    assert_eq!(ask(&server, &rsa.token("r", &claims())).await, 200);
    assert_eq!(
        ask(
            &server,
            &p256.token("e", &with("aud", json!(["x", "metrics"])))
        )
        .await,
        200
    );
    for record in server.buffer.confirmed() {
        assert_eq!(record.tenant.as_deref(), Some("acme"));
        assert_eq!(record.source.as_deref(), Some("agent-7"));
    }
    // An API key is still a key.
    assert_eq!(ask(&server, super::KEY).await, 200);
    let other = post("/metrics")
        .header(
            "authorization",
            format!("Bearer {}", rsa.token("r", &claims())),
        )
        .header("x-scope-orgid", "other");
    assert_eq!(status(&server, other).await, 403);
}

#[tokio::test]
async fn a_token_that_is_not_for_us_or_not_for_now_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = p256();
    let server = server(write(folder.path(), &[key.jwk("e")]));
    let minute_ago = json!(now_s() - 30);
    for (claims, expected) in [
        (claims(), 200),
        (with("exp", minute_ago), 200),
        (with("exp", json!(now_s() - 90)), 401),
        (with("nbf", json!(now_s() + 30)), 200),
        (with("nbf", json!(now_s() + 90)), 401),
        (with("iss", json!("https://id.example")), 401),
        (with("aud", json!("prometheus")), 401),
        (with("aud", json!([])), 401),
        (with("team", json!("a/b")), 401),
        (with("team", json!(["acme"])), 401),
        (without("exp"), 401),
        (without("iss"), 401),
        (without("aud"), 401),
        (without("team"), 401),
    ] {
        let found = ask(&server, &key.token("e", &claims)).await;
        assert_eq!(found, expected, "{claims}");
    }
}

#[tokio::test]
async fn a_signature_or_algorithm_that_is_not_the_keys_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (rsa, p256, stranger) = (rsa(), p256(), p256());
    let server = server(write(folder.path(), &[rsa.jwk("r"), p256.jwk("e")]));
    let header = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid});
    let message = format!(
        "{}.{}",
        URL.encode(header("none", "r").to_string()),
        URL.encode(claims().to_string())
    );
    // The public key as if it were a shared secret.
    let hs256 = {
        let message = format!(
            "{}.{}",
            URL.encode(header("HS256", "r").to_string()),
            URL.encode(claims().to_string())
        );
        let secret = rsa.jwk("r")["n"].as_str().unwrap().to_owned();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &URL.decode(secret).unwrap());
        let signature = ring::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL.encode(signature))
    };
    let good = p256.token("e", &claims());
    let (start, signature) = good.rsplit_once('.').unwrap();
    let mut broken = URL.decode(signature).unwrap();
    broken[7] ^= 1;
    for token in [
        format!("{message}."),
        format!("{message}.AAAA"),
        hs256,
        stranger.token("e", &claims()),
        stranger.token("unknown", &claims()),
        p256.token("r", &claims()),
        rsa.token_of(&header("RS512", "r"), &claims()),
        p256.token_of(&header("ES384", "e"), &claims()),
        p256.token_of(&json!({"alg": "ES256"}), &claims()),
        p256.token_of(
            &json!({"alg": "ES256", "jwk": stranger.jwk("e")}),
            &claims(),
        ),
        format!("{start}.{}", URL.encode(broken)),
        format!("{start}."),
    ] {
        assert_eq!(ask(&server, &token).await, 401, "{token}");
    }
    assert_eq!(ask(&server, &good).await, 200);
}

#[test]
fn a_file_without_a_key_that_we_can_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |jwt: JwtConfig| {
        let access = AccessConfig {
            jwt: Some(jwt),
            ..AccessConfig::default()
        };
        access.check().map_err(|(key, _)| key)
    };
    let symmetric = json!({"kty": "oct", "kid": "s", "k": "c2VjcmV0", "alg": "HS256"});
    let for_encryption = {
        let mut jwk = rsa().jwk("r");
        jwk["use"] = json!("enc");
        jwk
    };
    let refused = Err("jwt.jwks_file".to_owned());
    assert_eq!(check(write(folder.path(), &[])), refused);
    assert_eq!(
        check(write(folder.path(), &[symmetric.clone(), for_encryption])),
        refused
    );
    assert_eq!(
        check(write(folder.path(), &[symmetric, p256().jwk("e")])),
        Ok(())
    );
    let url = |url: &str| JwtConfig {
        jwks_url: Some(url.to_owned()),
        ..config()
    };
    for refused in [
        "http://id.example/jwks",
        "http://localhost.evil.example/jwks",
        "http://localhost@evil.example/jwks",
        "http://127.0.0.1.evil.example/jwks",
        "https://user:secret@id.example/jwks",
        "ftp://localhost/jwks",
        "id.example/jwks",
    ] {
        assert_eq!(
            check(url(refused)),
            Err("jwt.jwks_url".to_owned()),
            "{refused}"
        );
    }
    for taken in ["http://localhost:8080/jwks", "http://[::1]/jwks"] {
        assert_eq!(check(url(taken)), Ok(()), "{taken}");
    }
    assert_eq!(check(url("https://id.example/jwks")), Ok(()));
    assert_eq!(check(config()), Err("jwt".to_owned()));
    let nobody = JwtConfig {
        issuer: String::new(),
        ..url("https://id.example/jwks")
    };
    assert_eq!(check(nobody), Err("jwt.issuer".to_owned()));
}

/// Publishes what it is told to, one connection at a time.
struct Published {
    url: String,
    answer: Arc<std::sync::Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

async fn publish(tasks: &service::tasks::Tasks) -> Published {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let answer = Arc::new(std::sync::Mutex::new(String::new()));
    let asked = Arc::new(AtomicUsize::new(0));
    let (told, count) = (Arc::clone(&answer), Arc::clone(&asked));
    let router = axum::Router::new().fallback(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = told.lock().unwrap().clone();
        async move { answer }
    });
    tasks.spawn("provider", async move {
        axum::serve(listener, router).await.unwrap();
    });
    Published { url, answer, asked }
}

#[tokio::test]
async fn published_keys_are_fetched_again_when_a_token_names_a_new_one() {
    let (old, new) = (p256(), p256());
    let tasks = service::tasks::Tasks::new();
    let published = publish(&tasks).await;
    let keys = |keys: &[Value]| json!({ "keys": keys }).to_string();
    *published.answer.lock().unwrap() = "not there yet".to_owned();
    let server = server(JwtConfig {
        jwks_url: Some(published.url.clone()),
        ..config()
    });
    let asked = || published.asked.load(Ordering::SeqCst);
    let until = async |count: usize| {
        while asked() < count {
            tokio::task::yield_now().await;
        }
    };
    until(1).await;
    // No keys: not the sender's fault, so it is to come back.
    let token = old.token("old", &claims());
    let request = post("/metrics").header("authorization", format!("Bearer {token}"));
    let answer = send(&server, request).await;
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.header("retry-after").is_some()
        ),
        (503, true)
    );

    // The clock is moved by hand from here on: a provider that failed is asked again soon.
    *published.answer.lock().unwrap() = keys(&[old.jwk("old")]);
    tokio::time::pause();
    let advance = async |count: usize| {
        while asked() < count {
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            tokio::time::resume();
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            tokio::time::pause();
        }
        tokio::time::resume();
    };
    advance(2).await;
    let good = async |token: &str, expected: u16| {
        // The answer of the provider may still be on its way.
        for _ in 0..1000 {
            let found = ask(&server, token).await;
            if found == expected {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert_eq!(ask(&server, token).await, expected);
    };
    good(&token, 200).await;

    // A new key: it is fetched because it is asked for, but not at every token with a name made up.
    *published.answer.lock().unwrap() = keys(&[old.jwk("old"), new.jwk("new")]);
    let made_up = new.token("made-up", &claims());
    assert_eq!(ask(&server, &made_up).await, 401);
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    tokio::time::resume();
    let before = asked();
    assert_eq!(ask(&server, &new.token("new", &claims())).await, 503);
    good(&new.token("new", &claims()), 200).await;
    good(&made_up, 401).await;
    assert_eq!(asked(), before + 1);

    // A provider that answers nonsense takes no key away.
    *published.answer.lock().unwrap() = "<html>".to_owned();
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    tokio::time::resume();
    assert_eq!(ask(&server, &made_up).await, 503);
    until(before + 2).await;
    assert_eq!(ask(&server, &token).await, 200);
}
