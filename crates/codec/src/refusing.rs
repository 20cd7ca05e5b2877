//! Refusals of a body's objects, with sentences for the first ones only.

use model::{Refusal, Refused};

/// How many refusals of a body are told. The others' sentences need not be kept.
pub const TOLD: usize = 100;

/// Adds a refusal of an object.
pub(crate) fn refuse(refused: &mut Vec<Refused>, index: u32, metric_name: &str, refusal: &Refusal) {
    let is_told = refused.len() < TOLD;
    refused.push(if is_told {
        Refused {
            index,
            // Whole, unless it is longer than a name may be.
            metric_name: metric_name.chars().take(1024).collect(),
            refusal: refusal.clone(),
        }
    } else {
        Refused {
            index,
            metric_name: String::new(),
            refusal: Refusal::new(refusal.code, String::new()),
        }
    });
}

/// The refusal of a body with more samples than may be.
pub(crate) fn too_many(max_samples: usize) -> Refusal {
    let message = format!("the body has more than {max_samples} samples; send it in parts");
    Refusal::new(model::Code::TooManySamples, message)
}
