//! An OAuth server for client credentials: one client, signed tokens, nothing else.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::json;

/// How long a token is good.
const LIFETIME: Duration = Duration::from_secs(600);

/// Answers `POST /token` on a port of its own, until the process ends.
#[derive(Debug)]
pub struct TokenServer {
    port: u16,
    key: Arc<EcdsaKeyPair>,
}

impl TokenServer {
    /// The client that is known here.
    pub const CLIENT: &str = "sluice";
    /// What it proves itself with.
    pub const SECRET: &str = "known-to-both";
    /// Whom the tokens are for.
    pub const AUDIENCE: &str = "kafka";

    pub(super) fn start() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random)
            .ok()
            .and_then(|key| EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).ok())
            .unwrap_or_else(|| panic!("no key for tokens could be made"));
        let key = Arc::new(key);
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .unwrap_or_else(|error| panic!("OAuth server: {error}"));
        let port = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("OAuth server: {error}"))
            .port();
        let signing = Arc::clone(&key);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever hangs up early gets nothing.
                answer(stream, &signing).unwrap_or_default();
            }
        });
        Self { port, key }
    }

    /// Where tokens are asked for.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }

    /// The JWKS document with the key that tokens are signed with.
    pub(super) fn public_keys(&self) -> String {
        // An uncompressed point: a byte that says so, and two coordinates.
        let point = self.key.public_key().as_ref();
        let coordinate = |range| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default());
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "testkit",
            "x": coordinate(1..33), "y": coordinate(33..65),
        }]})
        .to_string()
    }
}

fn answer(mut stream: TcpStream, key: &EcdsaKeyPair) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let known = STANDARD.encode(format!("{}:{}", TokenServer::CLIENT, TokenServer::SECRET));
    let (mut is_known, mut length) = (false, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => is_known = value.trim() == format!("Basic {known}"),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, body) = if is_known {
        let token = token(key);
        let answer = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME.as_secs(),
        });
        ("200 OK", answer)
    } else {
        ("401 Unauthorized", json!({"error": "invalid_client"}))
    };
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

fn token(key: &EcdsaKeyPair) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "a broker reads the real clock, too"
    )]
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let header = json!({"alg": "ES256", "kid": "testkit", "typ": "JWT"});
    let claims = json!({
        "iss": "testkit", "sub": TokenServer::CLIENT, "aud": TokenServer::AUDIENCE,
        "scope": "metrics", "iat": now, "exp": now + LIFETIME.as_secs(),
    });
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let signed = format!(
        "{}.{}",
        encode(&header.to_string()),
        encode(&claims.to_string())
    );
    let signature = key
        .sign(&SystemRandom::new(), signed.as_bytes())
        .unwrap_or_else(|_| panic!("a token could not be signed"));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}
