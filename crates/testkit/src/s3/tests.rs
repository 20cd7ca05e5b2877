//! The server is what tests take it for.

use super::S3;

#[test]
fn it_starts_and_starts_again_and_wants_signatures() {
    let mut server = S3::start();
    server.restart();
    let answer = crate::http::get(server.port, "/metrics/x").expect("it answers");
    assert_eq!(answer.status, 403, "{}", answer.text());
}
