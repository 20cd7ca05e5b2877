//! Whether an answer says that Kafka has the samples, found out by taking Kafka away.
//!
//! First the broker is stopped (it keeps its connections and says nothing), then it refuses whatever
//! it is sent. Who answers 2xx to either has promised what is not so.

use std::time::Duration;

use testkit::{Kafka, eventually};
use tokio::time::{sleep, timeout};

use super::topic::Topic;
use crate::client::{Client, Request};
use crate::source::Source;

/// How long a sender waits for an answer while the broker stands still. Nobody's delivery takes that
/// long when all is well.
const STOPPED_FOR: Duration = Duration::from_secs(4);
/// How long that may take.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// How long it waits while the broker refuses: some try again for minutes, and say nothing until then.
const REFUSED_FOR: Duration = Duration::from_secs(12);

/// How long a broker may take to apply a topic's new setting.
const APPLIED_AFTER: Duration = Duration::from_secs(2);

/// What was answered while Kafka had nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub while_stopped: Option<u16>,
    pub while_refused: Option<u16>,
}

impl Answered {
    /// Whether answers were true to Kafka in both cases.
    pub(crate) fn is_after_kafka(self) -> bool {
        !is_success(self.while_stopped) && !is_success(self.while_refused)
    }

    /// Both answers in words.
    pub(crate) fn describe(self) -> String {
        let word = |status: Option<u16>| {
            status.map_or_else(|| "nothing".to_owned(), |status| status.to_string())
        };
        format!(
            "answers {} while the broker is stopped, {} while it refuses",
            word(self.while_stopped),
            word(self.while_refused)
        )
    }
}

fn is_success(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

/// Asks a gateway that has run before, so that it knows the topic and has its connections.
pub(crate) async fn ask(
    kafka: &Kafka,
    topic: &Topic,
    request: &Request,
    source: &Source,
) -> anyhow::Result<Answered> {
    kafka.with_broker(0, testkit::Process::pause);
    let broker = kafka.with_broker(0, testkit::Process::pid);
    eventually(STOPPED_WITHIN, async || is_stopped(broker)).await;
    let while_stopped = once(request, source, STOPPED_FOR).await;
    kafka.with_broker(0, testkit::Process::resume);
    // Whoever holds that body still may deliver it now.
    sleep(STOPPED_FOR).await;
    kafka.set_topic_setting(topic.name(), "max.message.bytes", "1");
    sleep(APPLIED_AFTER).await;
    let while_refused = once(request, source, REFUSED_FOR).await;
    Ok(Answered {
        while_stopped: while_stopped?,
        while_refused: while_refused?,
    })
}

/// Whether each thread has taken notice: on a busy machine one may still answer for a while.
fn is_stopped(pid: i32) -> Result<(), String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).map_err(|e| e.to_string())?;
    for thread in threads.flatten() {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The second field is a name in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
        if !fields.trim_start().starts_with('T') {
            return Err(format!("a thread still runs: {stat}"));
        }
    }
    Ok(())
}

/// Sends one body over a connection of its own: the status, or `None` if there was no answer in time.
async fn once(
    request: &Request,
    source: &Source,
    patience: Duration,
) -> anyhow::Result<Option<u16>> {
    let mut client = Client::connect(request).await?;
    source.fill(0, 0, client.body()).await?;
    let answer = timeout(patience, client.post()).await;
    Ok(answer.ok().and_then(Result::ok).map(|answer| answer.status))
}

#[cfg(test)]
mod tests {
    use super::Answered;

    #[test]
    fn only_who_never_says_yes_answers_after_kafka() {
        let answered = |while_stopped, while_refused| Answered {
            while_stopped,
            while_refused,
        };
        assert!(answered(None, Some(503)).is_after_kafka());
        assert!(answered(Some(503), None).is_after_kafka());
        assert!(!answered(Some(204), None).is_after_kafka());
        assert!(!answered(None, Some(200)).is_after_kafka());
        assert_eq!(
            answered(None, Some(200)).describe(),
            "answers nothing while the broker is stopped, 200 while it refuses"
        );
    }
}
