//! `sluice topic`: the topics that the settings name, as they are and as they should be.

mod text;

use anyhow::Context;
use buffer::kafka::{
    Config, Description, Purpose, Ranges, describe_topic, ensure_dead_letter_topic,
    ensure_rejections_topic, ensure_table_topic, ensure_topic,
};
use clap::{Args, Subcommand};

use crate::replay::Outcome;
use crate::settings::{BufferKind, Settings};
use crate::tools::output::put;
use crate::tools::{Tool, Usage, block_on};

const AFTER_HELP: &str = "\
Exit codes of check: 0 every topic is as the settings want it, 2 one is not, or is missing. An existing topic is never
changed: what check says is for a person with kafka-configs, kafka-topics or an operator's resources.";

/// The options of `sluice topic`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show partitions, leaders, replicas, offsets and settings of a topic.
    Describe {
        /// Whose settings.
        #[command(flatten)]
        tool: Tool,
        /// A topic; without it, the one of the samples.
        topic: Option<String>,
    },
    /// Create the topics that are missing, as the gateway and the consumer would.
    Create {
        /// Whose settings.
        #[command(flatten)]
        tool: Tool,
    },
    /// Compare all topics with the settings.
    Check {
        /// Whose settings.
        #[command(flatten)]
        tool: Tool,
    },
}

/// Does it.
///
/// # Errors
/// When an option is wrong, or Kafka does not answer.
pub fn topic(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let (Action::Describe { tool, .. } | Action::Create { tool } | Action::Check { tool }) =
        &arguments.action;
    let settings = tool.load()?;
    if settings.buffer.kind == BufferKind::Local {
        return Err(Usage::of(
            "buffer.kind: is local, which has no topics; for those of Kafka, say --role gateway or set it",
        ));
    }
    block_on(async {
        match &arguments.action {
            Action::Describe { topic, .. } => describe(&settings, topic.as_deref()).await,
            Action::Create { .. } => create(&settings).await,
            Action::Check { .. } => check(&settings).await,
        }
    })
}

/// Every topic that the settings name.
fn topics(settings: &Settings) -> Vec<(String, Purpose)> {
    let kafka = &settings.kafka;
    let mut topics = vec![(kafka.topic.clone(), Purpose::Samples)];
    for topic in kafka.tenant_topics.values() {
        if !topics.iter().any(|(known, _)| known == topic) {
            topics.push((topic.clone(), Purpose::Samples));
        }
    }
    let dead = settings.consumer.dead_letter_topic.clone();
    topics.push((dead, Purpose::DeadLetters));
    topics.push((settings.groups_topic(), Purpose::Table));
    if let Some(topic) = &settings.rejections.topic {
        topics.push((topic.clone(), Purpose::Rejections));
    }
    topics
}

async fn look(
    settings: &Settings,
    topic: &str,
    purpose: Purpose,
) -> anyhow::Result<Option<Description>> {
    let retention = settings.buffer.retention.0;
    Ok(describe_topic(&settings.kafka, topic, purpose, retention).await?)
}

async fn describe(settings: &Settings, topic: Option<&str>) -> anyhow::Result<Outcome> {
    let name = topic.unwrap_or(&settings.kafka.topic);
    let known = topics(settings);
    let purpose = known.iter().find(|(known, _)| known == name);
    let found = look(
        settings,
        name,
        purpose.map_or(Purpose::Samples, |(_, purpose)| *purpose),
    )
    .await?;
    let Some(mut found) = found else {
        anyhow::bail!("there is no topic {name}; sluice topic create makes those of the settings");
    };
    if purpose.is_none() {
        // Somebody else's: nothing is wanted of it.
        found.differences.clear();
    }
    let bounds = Ranges::of(&settings.kafka, name).bounds().await?;
    put(&text::description(name, &found, &bounds))?;
    Ok(Outcome::Complete)
}

async fn check(settings: &Settings) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Complete;
    for (name, purpose) in topics(settings) {
        let found = look(settings, &name, purpose).await?;
        if found
            .as_ref()
            .is_none_or(|found| !found.differences.is_empty())
        {
            outcome = Outcome::Incomplete;
        }
        put(&text::checked(&name, purpose, found.as_ref()))?;
    }
    Ok(outcome)
}

async fn create(settings: &Settings) -> anyhow::Result<Outcome> {
    let retention = settings.buffer.retention.0;
    let samples = ensure_topic(&settings.kafka, retention).await?;
    for (name, purpose) in topics(settings) {
        let existed = look(settings, &name, purpose).await?.is_some();
        let own = Config {
            topic: name.clone(),
            ..settings.kafka.clone()
        };
        let made = match purpose {
            Purpose::Samples => ensure_topic(&own, retention).await,
            Purpose::DeadLetters => {
                ensure_dead_letter_topic(&settings.kafka, &name, retention, &samples).await
            }
            Purpose::Table => ensure_table_topic(&settings.kafka, &name).await,
            Purpose::Rejections => ensure_rejections_topic(&own, retention).await,
        };
        let made = made.with_context(|| format!("topic {name}"))?;
        let what = if existed || name == samples.name {
            "is there"
        } else {
            "is created"
        };
        put(&format!(
            "{name} {what}, with {} partitions\n",
            made.partitions
        ))?;
    }
    Ok(Outcome::Complete)
}
