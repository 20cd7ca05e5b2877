//! Letters as refusals.

use std::sync::Arc;
use std::sync::Mutex;

use buffer::{BuryDead, ContentType, DeadLetter, PublishError};
use bytes::Bytes;
use service::rejections::{Query, Rejections};

use super::Noting;

#[derive(Default)]
struct Graveyard {
    is_closed: bool,
    letters: Mutex<Vec<DeadLetter>>,
}

impl BuryDead for Graveyard {
    async fn bury(&self, letter: DeadLetter) -> Result<(), PublishError> {
        if self.is_closed {
            return Err(PublishError::Closed);
        }
        self.letters.lock().unwrap().push(letter);
        Ok(())
    }
}

fn letter(value: &'static str) -> DeadLetter {
    DeadLetter {
        key: Some(Bytes::from_static(b"cpu")),
        value: Bytes::from_static(value.as_bytes()),
        content_type: Some(Bytes::from_static(ContentType::Json.as_str().as_bytes())),
        tenant: Some("blue".into()),
        source: Some("web-01".into()),
        reason: "out_of_order",
        message: "the sample is older than the newest".to_owned(),
        source_topic: "metrics".to_owned(),
        source_partition: 3,
        source_offset: 42,
        store: "main".to_owned(),
    }
}

const SAMPLE: &str =
    r#"{"metric_name":"cpu","timestamp":1700000000000,"value":1.5,"labels":{"host":"a"}}"#;

async fn summaries(graveyard: Graveyard, letters: &[DeadLetter]) -> Vec<(String, String)> {
    let record = Arc::new(Rejections::new(1 << 20));
    let noting = Noting::new(Arc::new(graveyard), Arc::clone(&record));
    for letter in letters {
        // Whether it is buried is what the test is about.
        drop(noting.bury(letter.clone()).await);
    }
    let answer = record.answer(&Query::default());
    answer
        .rejections
        .into_iter()
        .map(|shown| (shown.summary, shown.sample))
        .collect()
}

#[tokio::test]
async fn a_letter_names_its_store_its_source_and_its_samples() {
    let told = summaries(Graveyard::default(), &[letter(SAMPLE), letter(SAMPLE)]).await;
    let expected = (
        "2 samples of cpu from web-01 (tenant blue) were accepted, and then refused for good by store main \
         (out_of_order): the sample is older than the newest"
            .to_owned(),
        "cpu{host=\"a\"} 1.5 @1700000000000".to_owned(),
    );
    assert_eq!(told, [expected]);
}

#[tokio::test]
async fn a_record_that_cannot_be_decoded_is_shown_by_its_key_and_first_bytes() {
    let told = summaries(Graveyard::default(), &[letter("\u{1}?")]).await;
    let expected = (
        "1 record of cpu from web-01 (tenant blue) was not readable on the way to store main: the sample is older \
         than the newest"
            .to_owned(),
        "\\x01?".to_owned(),
    );
    assert_eq!(told, [expected]);
}

#[tokio::test]
async fn what_is_not_buried_is_not_remembered_because_it_is_tried_again() {
    let graveyard = Graveyard {
        is_closed: true,
        ..Graveyard::default()
    };
    assert_eq!(summaries(graveyard, &[letter(SAMPLE)]).await, []);
}
