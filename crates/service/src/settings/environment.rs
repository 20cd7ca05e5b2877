//! Which environment variables are settings, and what their names mean.

const PREFIX: &str = "SLUICE_";

/// Read by the command line, not a setting.
const NOT_SETTINGS: [&str; 1] = ["SLUICE_CONFIG"];

/// A variable that is a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `SLUICE_STORES__MAIN__URL` is `["stores", "main", "url"]`.
    pub(super) path: Vec<String>,
    pub(super) text: String,
}

/// The settings among the variables, those for whole sections first.
pub(super) fn variables(environment: impl IntoIterator<Item = (String, String)>) -> Vec<Variable> {
    let mut variables: Vec<_> = environment
        .into_iter()
        .filter_map(|(name, text)| {
            let path = path(&name)?;
            Some(Variable { name, path, text })
        })
        .collect();
    variables.sort_by(|a, b| {
        let order = a.path.len().cmp(&b.path.len());
        order
            .then_with(|| a.path.cmp(&b.path))
            .then_with(|| a.name.cmp(&b.name))
    });
    variables
}

/// The setting's path as it is written in variables.
pub(super) fn name(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

fn path(name: &str) -> Option<Vec<String>> {
    let rest = name
        .get(..PREFIX.len())
        .filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
        .and_then(|_| name.get(PREFIX.len()..))?;
    if NOT_SETTINGS.contains(&name) || is_service_link(rest) {
        return None;
    }
    Some(rest.to_lowercase().split("__").map(str::to_owned).collect())
}

/// Kubernetes describes a service called `sluice-x` to all pods beside it in variables called `SLUICE_X_…`.
fn is_service_link(rest: &str) -> bool {
    if rest.contains("__") {
        return false;
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<_> = rest.split('_').collect();
    let ports = words.windows(3).any(
        |three| matches!(three, ["PORT", number, "TCP" | "UDP" | "SCTP"] if is_number(number)),
    );
    ports
        || rest.ends_with("SERVICE_HOST")
        || words.windows(2).any(|two| two == ["SERVICE", "PORT"])
        || words.last() == Some(&"PORT")
}
