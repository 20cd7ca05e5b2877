//! What a look at the topics finds, against a Kafka inside the process.

use super::*;
use crate::kafka::tests::{Mock, topic};

#[tokio::test(flavor = "multi_thread")]
async fn partitions_of_tenants_topics_are_followed_behind_one_that_has_trouble() {
    let mut mock = Mock::new(2);
    mock.cluster.create_topic("a", 3, 1).unwrap();
    mock.cluster.create_topic("b", 5, 1).unwrap();
    for name in ["a", "b"] {
        let topics = &mut mock.config.tenant_topics;
        topics.insert(name.to_owned(), name.to_owned());
    }
    let producer = Producer::new(&mock.config);
    producer.open(&topic(1), None).unwrap();
    assert!(matches!(producer.look().await, Seen::Fine));
    let found = ["metrics", "a", "b"].map(|topic| producer.partitions_of(topic));
    assert_eq!(found, [2, 3, 5]);

    producer.know_own_partitions("b", 0);
    let error = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    mock.cluster.topic_error("a", error).unwrap();
    assert!(matches!(producer.look().await, Seen::Down(_)));
    assert_eq!(producer.partitions_of("b"), 5);
    producer.close().await;
}
