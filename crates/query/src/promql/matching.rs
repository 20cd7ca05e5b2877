//! Operators between series: which of one side belong to which of the other.

use std::collections::{BTreeMap, HashMap};

use model::NAME_LABEL;
use promql_parser::parser::token::{T_LAND, T_LOR};
use promql_parser::parser::{BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::binary::Operator;
use super::evaluation::Evaluation;
use super::value::{Row, absent, joined};
use crate::error::{Error, invalid};
use crate::labels::Labels;

/// The labels that two series have to have in common.
struct Common<'e>(Option<&'e LabelModifier>);

impl Common<'_> {
    fn of(&self, labels: &Labels) -> Labels {
        labels.only(|name| match self.0 {
            Some(LabelModifier::Include(on)) => on.labels.iter().any(|known| known == name),
            Some(LabelModifier::Exclude(ignoring)) => {
                name != NAME_LABEL && !ignoring.labels.iter().any(|known| known == name)
            }
            None => name != NAME_LABEL,
        })
    }
}

fn common(binary: &BinaryExpr) -> Common<'_> {
    let modifier = binary.modifier.as_ref();
    Common(modifier.and_then(|modifier| modifier.matching.as_ref()))
}

fn by_common(common: &Common<'_>, rows: Vec<Row>) -> HashMap<Labels, Vec<Row>> {
    let mut groups: HashMap<Labels, Vec<Row>> = HashMap::with_capacity(rows.len());
    for row in rows {
        groups.entry(common.of(&row.labels)).or_default().push(row);
    }
    groups
}

/// `and`, `or`, `unless`.
pub(super) fn set(
    evaluation: &mut Evaluation<'_>,
    binary: &BinaryExpr,
    left: Vec<Row>,
    right: Vec<Row>,
) -> Result<Vec<Row>, Error> {
    let common = common(binary);
    let is_or = binary.op.id() == T_LOR;
    // Of these, those that have something in common with one of the others.
    let (filtered, others, keeps_common) = match binary.op.id() {
        T_LAND => (left, right, true),
        T_LOR => (right, left, false),
        _ => (left, right, false),
    };
    let mut rows = if is_or { others.clone() } else { Vec::new() };
    let others = by_common(&common, others);
    for mut row in filtered {
        let with = others
            .get(&common.of(&row.labels))
            .map_or(&[][..], Vec::as_slice);
        evaluation
            .budget
            .steps(row.values.len() * (1 + with.len()))?;
        for (step, value) in row.values.iter_mut().enumerate() {
            let is_common = with.iter().any(|other| other.get(step).is_some());
            if is_common != keeps_common {
                *value = absent();
            }
        }
        if !row.is_empty() {
            rows.push(row);
        }
    }
    joined(rows)
}

/// Arithmetic and comparisons.
pub(super) fn combine(
    evaluation: &mut Evaluation<'_>,
    binary: &BinaryExpr,
    operator: Operator,
    left: Vec<Row>,
    right: Vec<Row>,
) -> Result<Vec<Row>, Error> {
    let common = common(binary);
    let one_to_one = VectorMatchCardinality::OneToOne;
    let modifier = binary.modifier.as_ref();
    let cardinality = modifier.map_or(&one_to_one, |modifier| &modifier.card);
    if modifier.is_some_and(|modifier| {
        modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some()
    }) {
        return invalid("fill is not supported here");
    }
    let (many, one, is_swapped) = match cardinality {
        VectorMatchCardinality::OneToMany(_) => (right, left, true),
        _ => (left, right, false),
    };
    let one = by_common(&common, one);
    let mut done: BTreeMap<Labels, Row> = BTreeMap::new();
    for row in many {
        let key = common.of(&row.labels);
        let Some(partners) = one.get(&key) else {
            continue;
        };
        for partner in partners {
            let labels = result_labels(cardinality, operator, &common, &row, partner);
            let mut values = Vec::with_capacity(row.values.len());
            for step in 0..row.values.len() {
                let pair = row.get(step).zip(partner.get(step));
                values.push(pair.map_or(absent(), |(many, one)| {
                    let (left, right) = if is_swapped { (one, many) } else { (many, one) };
                    operator.apply(left, right, left)
                }));
            }
            let overlap = |step| {
                partners
                    .iter()
                    .filter(|other| other.get(step).is_some())
                    .count()
            };
            evaluation
                .budget
                .steps(row.values.len() * (1 + partners.len()))?;
            if partners.len() > 1
                && (0..row.values.len()).any(|step| row.get(step).is_some() && overlap(step) > 1)
            {
                return Err(Error::Failed(format!(
                    "several series of one side belong to the same series of the other, by the labels {}; name more of \
                     them with on(…), or aggregate that side first",
                    shown(&key)
                )));
            }
            let found = evaluation.take(Row { labels, values })?;
            add(&mut done, found, &row, partner)?;
        }
    }
    Ok(done.into_values().filter(|row| !row.is_empty()).collect())
}

/// Puts a result beside the others. Two of the same labels at one step cannot be told apart.
fn add(done: &mut BTreeMap<Labels, Row>, found: Row, many: &Row, one: &Row) -> Result<(), Error> {
    let Some(known) = done.get_mut(&found.labels) else {
        done.insert(found.labels.clone(), found);
        return Ok(());
    };
    for (step, (value, other)) in known.values.iter_mut().zip(&found.values).enumerate() {
        if many.get(step).is_none() || one.get(step).is_none() {
            continue;
        }
        if !super::is_absent(*value) {
            return Err(Error::Failed(format!(
                "several series of the left side have the labels {} in common with the right; say group_left(), or aggregate \
                 that side first",
                shown(&found.labels)
            )));
        }
        *value = *other;
    }
    Ok(())
}

fn result_labels(
    cardinality: &VectorMatchCardinality,
    operator: Operator,
    common: &Common<'_>,
    many: &Row,
    one: &Row,
) -> Labels {
    let mut labels = many.labels.clone();
    if !operator.keeps_name() {
        labels = labels.without_name();
    }
    match cardinality {
        VectorMatchCardinality::ManyToOne(include) | VectorMatchCardinality::OneToMany(include) => {
            for name in &include.labels {
                labels = labels.with(name, one.labels.get(name));
            }
            labels
        }
        VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => match common.0 {
            Some(LabelModifier::Include(_)) => common.of(&labels),
            Some(LabelModifier::Exclude(ignoring)) => {
                labels.only(|name| !ignoring.labels.iter().any(|known| known == name))
            }
            None => labels,
        },
    }
}

fn shown(labels: &Labels) -> String {
    let pairs = labels.iter().take(10);
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}
