//! Settings files and the environment.

use service::settings::File;
use sluice::settings::{Role, Settings};

/// What stands between the file and the environment.
const BORDER: &str = "\n--env--\n";

/// Whatever is wrong is said in one line that a terminal shows as it is; what is right can be printed.
pub(crate) fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (file, environment) = text.split_once(BORDER).unwrap_or((&text, ""));
    let file = File {
        name: "sluice.yaml".to_owned(),
        text: file.to_owned(),
    };
    let variables = || {
        environment
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let role = match data.len() % 3 {
        0 => Role::Standalone,
        1 => Role::Gateway,
        _ => Role::Consumer,
    };
    match Settings::of(role, Some(&file), variables()) {
        Ok(settings) => assert!(!format!("{settings:?}").is_empty()),
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }
}
