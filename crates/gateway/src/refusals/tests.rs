//! All refusals count, a hundred are told, the sentence says what to do.

use model::{Code, Refusal, Refused};

use super::Refusals;

fn refused(index: u32, code: Code) -> Refused {
    Refused {
        index,
        metric_name: "n".repeat(2000),
        refusal: Refusal::new(code, format!("reason {index}")),
    }
}

#[test]
fn each_object_is_refused_once_and_told_in_order() {
    let all = vec![
        refused(5, Code::TimestampMissing),
        refused(1, Code::ValueInvalid),
        refused(5, Code::ValueMissing),
    ];
    let refusals = Refusals::of(10, all);
    assert_eq!((refusals.received(), refusals.refused()), (8, 2));
    assert_eq!(
        refusals.counts(),
        [(Code::ValueInvalid, 1), (Code::TimestampMissing, 1)]
    );
    let told = serde_json::to_value(refusals.told()).unwrap();
    assert_eq!(told[0]["index"], 1);
    assert_eq!(told[1]["code"], "timestamp_missing");
    let name = told[0]["metric_name"].as_str().unwrap();
    assert_eq!(name, format!("{}…", "n".repeat(100)));
    assert_eq!(
        refusals.sentence(),
        "2 of 10 samples were refused, and strict=true stores all or nothing; sample 1: reason 1"
    );
}

#[test]
fn the_hundred_and_first_is_only_counted() {
    let all: Vec<Refused> = (0..250)
        .rev()
        .map(|index| refused(index, Code::ValueInvalid))
        .collect();
    let refusals = Refusals::of(250, all);
    assert_eq!(refusals.told().len(), 100);
    assert_eq!(refusals.omitted(), 150);
    assert_eq!(refusals.counts(), [(Code::ValueInvalid, 250)]);
    assert_eq!(
        refusals.sentence(),
        "all 250 samples were refused; sample 0: reason 0"
    );
}

#[test]
fn a_single_sample_is_not_called_all_of_them() {
    let refusals = Refusals::of(1, vec![refused(0, Code::ValueInvalid)]);
    assert_eq!(
        refusals.sentence(),
        "the only sample was refused; sample 0: reason 0"
    );
    assert!(Refusals::of(3, Vec::new()).is_empty());
}
