//! Functions that change labels.

use promql_parser::parser::Expr;

use super::evaluation::Evaluation;
use super::value::{Row, joined};
use crate::error::{Error, invalid};
use crate::pattern::anchored;

/// `label_replace`: a label made of parts of another, where that matches.
pub(super) fn replace(
    evaluation: &mut Evaluation<'_>,
    vector: &Expr,
    [target, text, source, pattern]: [&Expr; 4],
) -> Result<Vec<Row>, Error> {
    let target = label_name(evaluation, target)?;
    let (text, source) = (evaluation.text(text)?, evaluation.text(source)?);
    let pattern = evaluation.text(pattern)?;
    let mut rows = evaluation.vector(vector)?;
    // After what may have patterns of its own, so that one is kept at a time.
    let pattern = anchored(&pattern, evaluation.budget)?;
    for row in &mut rows {
        evaluation.budget.step()?;
        if let Some(parts) = pattern.captures(row.labels.get(&source)) {
            let mut value = String::new();
            parts.expand(&text, &mut value);
            evaluation.budget.take(value.len() + target.len())?;
            row.labels = row.labels.with(&target, &value);
        }
    }
    joined(rows)
}

/// `label_join`: a label made of others.
pub(super) fn join(
    evaluation: &mut Evaluation<'_>,
    vector: &Expr,
    target: &Expr,
    separator: &Expr,
    sources: &[&Expr],
) -> Result<Vec<Row>, Error> {
    let target = label_name(evaluation, target)?;
    let separator = evaluation.text(separator)?;
    let mut names = Vec::new();
    for source in sources {
        names.push(evaluation.text(source)?);
    }
    let mut rows = evaluation.vector(vector)?;
    for row in &mut rows {
        let values: Vec<&str> = names.iter().map(|name| row.labels.get(name)).collect();
        let value = values.join(&separator);
        evaluation.budget.take(value.len() + target.len())?;
        row.labels = row.labels.with(&target, &value);
    }
    joined(rows)
}

fn label_name(evaluation: &mut Evaluation<'_>, name: &Expr) -> Result<String, Error> {
    let name = evaluation.text(name)?;
    if name.is_empty() {
        return invalid("a label's name is empty");
    }
    Ok(name)
}
