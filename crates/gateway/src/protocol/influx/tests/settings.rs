//! What the settings of the section `influx` change.

use super::*;
use crate::config::{InfluxBooleans, InfluxConfig, InfluxStrings};

#[tokio::test(start_paused = true)]
async fn the_database_is_a_label_unless_a_tag_has_its_name() {
    for (uri, label) in [
        ("/write?db=telegraf&rp=autogen", "db=telegraf"),
        ("/api/v2/write?org=o&bucket=my%20bucket", "db=my bucket"),
        ("/api/v3/write_lp?db=sensors", "db=sensors"),
        ("/write", ""),
        ("/write?db=", ""),
        ("/api/v2/write", ""),
    ] {
        let server = server();
        assert_eq!(post(&server, uri, "m x=1\nn,db=own x=1").await.status, 204);
        assert_eq!(
            stored(&server),
            [
                format!("m_x{{{label}}} 1 @0"),
                "n_x{db=own} 1 @0".to_owned()
            ],
            "{uri}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn separator_label_text_and_booleans_are_settings() {
    let server = server_with(|config| {
        config.influx = InfluxConfig {
            separator: ".".to_owned(),
            database_label: String::new(),
            strings: InfluxStrings::Refuse,
            booleans: InfluxBooleans::Skip,
        }
    });
    let answer = post(&server, "/write?db=d", "m x=1,on=t\nm y=2,s=\"a\"").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("influx.strings: refuse"));
    assert_eq!(stored(&server), ["m.x{} 1 @0"]);
}

#[test]
fn settings_that_no_name_can_have_are_refused() {
    let key = |change: fn(&mut InfluxConfig)| {
        let mut config = InfluxConfig::default();
        change(&mut config);
        config.check().err().map(|(key, _)| key)
    };
    assert_eq!(key(|_| {}), None);
    assert_eq!(key(|config| config.separator = String::new()), None);
    assert_eq!(
        key(|config| config.separator = "\n".to_owned()).unwrap(),
        "separator"
    );
    assert_eq!(
        key(|config| config.database_label = "__name__".to_owned()).unwrap(),
        "database_label"
    );
    assert_eq!(
        key(|config| config.database_label = "x".repeat(101)).unwrap(),
        "database_label"
    );
}
