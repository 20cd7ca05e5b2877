//! Which mode a gateway is in.

use metrics::gauge;
use service::catalogue::{Kind, Metric};

use crate::mode::Mode;

const MODE: &str = "sluice_gateway_mode";

/// The metrics of modes.
pub const CATALOGUE: &[Metric] = &[Metric {
    name: MODE,
    kind: Kind::Gauge,
    labels: &["mode"],
    help: "1 for the mode that the gateway is in (`emergency.mode`), 0 for the others: normal, read_only or drain.",
}];

/// Shows the mode.
pub(crate) fn mode(current: Mode) {
    for mode in Mode::ALL {
        let is_it = if mode == current { 1.0 } else { 0.0 };
        gauge!(MODE, "mode" => mode.as_str()).set(is_it);
    }
}
