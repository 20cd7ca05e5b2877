//! `/api/v1/recent/…` and `/api/v1/archive/…`: samples, series, aggregates.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::Response;
use axum::routing::get;

use super::{Queries, refusal};
use crate::aggregate::Grouping;
use crate::answer::Page;
use crate::ask::{Begins, Format, Question, Takes, accepted};
use crate::error::Error;
use crate::source::{Found, From, Keep, Selection, Sources};
use crate::table::{Kind, Row, Table};

/// The routes.
pub(super) fn routes() -> Router<Queries> {
    let mut router = Router::new();
    for from in [From::Recent, From::Archive] {
        for what in [What::Samples, What::Series, What::Aggregate] {
            let answer = async move |State(queries): State<Queries>,
                                     headers: HeaderMap,
                                     RawQuery(query): RawQuery| {
                let asked = Asked { from, what };
                asked.answer(&queries, &headers, query).await
            };
            router = router.route(&path(from, what), get(answer));
        }
    }
    router
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Samples,
    Series,
    Aggregate,
}

fn path(from: From, what: What) -> String {
    let what = match what {
        What::Samples => "samples",
        What::Series => "series",
        What::Aggregate => "aggregate",
    };
    format!("/api/v1/{}/{what}", api(from))
}

fn api(from: From) -> &'static str {
    match from {
        From::Recent => "recent",
        From::Archive | From::Both => "archive",
    }
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    from: From,
    what: What,
}

impl Asked {
    async fn answer(
        self,
        queries: &Queries,
        headers: &HeaderMap,
        query: Option<String>,
    ) -> Response {
        let shared = &queries.0;
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let accept = accepted(accept.unwrap_or_default());
        let query = query.unwrap_or_default();
        // The parameter decides, and is not read before the question's turn.
        let format = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "format")
            .last();
        let content_type = match format.as_ref().map(|(_, value)| value.as_ref()) {
            Some("csv") => content_type(Format::Csv),
            Some("arrow") => content_type(Format::Arrow),
            Some(_) => content_type(Format::Json),
            None => content_type(accept),
        };
        drop(format);
        let now_ms = shared.clock.now_ms();
        let question = move |sources: &Sources, page: &mut Page<'_>| {
            self.find(&query, accept, now_ms, sources, page)
        };
        let answer = shared.answer(api(self.from), content_type, question).await;
        answer.unwrap_or_else(|error| refusal(&error))
    }

    fn find(
        self,
        query: &str,
        accept: Format,
        now_ms: i64,
        sources: &Sources,
        page: &mut Page<'_>,
    ) -> Result<Vec<String>, Error> {
        let takes = match self.what {
            What::Samples | What::Series => Takes::Rows,
            What::Aggregate => Takes::Aggregates,
        };
        let begins = match self.from {
            From::Recent => Begins::Anywhere,
            From::Archive | From::Both => Begins::AnHourAgo,
        };
        let question =
            page.within(|budget| Question::parse(query, takes, begins, accept, now_ms, budget))?;
        let selection = Selection {
            matching: question.matching.clone(),
            from_ms: question.from_ms,
            to_ms: question.to_ms,
            want: match self.what {
                What::Series => Keep::Last,
                What::Samples | What::Aggregate => Keep::Samples,
            },
        };
        let found = page.within(|budget| sources.select(self.from, &selection, budget))?;
        let table = match self.what {
            What::Samples => samples(found, &question, page)?,
            What::Series => series(found, &question),
            What::Aggregate => aggregates(found, &question, page)?,
        };
        table.write(question.format, page)?;
        Ok(table.warnings)
    }
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
        Format::Csv => "text/csv; charset=utf-8; header=present",
        Format::Arrow => "application/vnd.apache.arrow.stream",
    }
}

/// What a row costs.
const ROW_BYTES: usize = size_of::<Row>() + 32;

/// The newest samples, which stand last.
fn samples(found: Found, question: &Question, page: &mut Page<'_>) -> Result<Table, Error> {
    let all: usize = found.series.iter().map(|series| series.samples.len()).sum();
    let order_bytes = all * size_of::<(i64, usize, usize)>();
    page.borrow(order_bytes)?;
    let mut order: Vec<(i64, usize, usize)> = Vec::with_capacity(all);
    for (number, series) in found.series.iter().enumerate() {
        let times = series.samples.iter().enumerate();
        order.extend(times.map(|(at, (at_ms, _))| (*at_ms, number, at)));
    }
    order.sort_unstable();
    let skipped = all.saturating_sub(question.limit);
    page.borrow((all - skipped) * ROW_BYTES)?;
    let value = |series: usize, at: usize| found.series.get(series)?.samples.get(at);
    let rows = order.iter().skip(skipped).map(|&(at_ms, series, at)| Row {
        series,
        at_ms,
        values: vec![value(series, at).map(|(_, value)| *value)],
    });
    let rows = rows.collect();
    drop(order);
    page.repay(order_bytes);
    let mut warnings = found.warnings;
    if skipped > 0 {
        warnings.push(format!(
            "the newest {} of {all} samples (limit)",
            question.limit
        ));
    }
    let series = found.series.into_iter();
    Ok(Table {
        kind: Kind::Samples,
        series: series.map(|series| (series.labels, series.kind)).collect(),
        rows,
        warnings,
    })
}

/// Series with their newest sample, sorted.
fn series(found: Found, question: &Question) -> Table {
    let all = found.series.len();
    let mut warnings = found.warnings;
    if all > question.limit {
        warnings.push(format!(
            "the first {} of {all} series (limit)",
            question.limit
        ));
    }
    let (mut series, mut rows) = (Vec::new(), Vec::new());
    for one in found.series.into_iter().take(question.limit) {
        let Some(&(at_ms, value)) = one.samples.last() else {
            continue;
        };
        rows.push(Row {
            series: series.len(),
            at_ms,
            values: vec![Some(value)],
        });
        series.push((one.labels, one.kind));
    }
    Table {
        kind: Kind::Series,
        series,
        rows,
        warnings,
    }
}

fn aggregates(found: Found, question: &Question, page: &mut Page<'_>) -> Result<Table, Error> {
    let first_ms = found
        .series
        .iter()
        .filter_map(|series| series.samples.first());
    let first_ms = first_ms.map(|(at_ms, _)| *at_ms).min().unwrap_or_default();
    let last_ms = found
        .series
        .iter()
        .filter_map(|series| series.samples.last());
    let last_ms = last_ms.map(|(at_ms, _)| *at_ms).max().unwrap_or_default();
    // Where no time was asked for, the time of what there is.
    let from_ms = if question.from_ms == i64::MIN {
        first_ms
    } else {
        question.from_ms
    };
    let to_ms = if question.to_ms == i64::MAX {
        last_ms
    } else {
        question.to_ms
    };
    let grouping = Grouping {
        aggregates: &question.aggregates,
        step_ms: question.step_ms,
        by: question.by.as_ref(),
    };
    let groups = page.within(|budget| grouping.groups(&found.series, from_ms, budget))?;
    let all: usize = groups.iter().map(|group| group.rows.len()).sum();
    page.borrow(all.min(question.limit) * ROW_BYTES)?;
    let (mut series, mut rows) = (Vec::new(), Vec::new());
    for group in groups {
        let left = question.limit.saturating_sub(rows.len());
        for (at_ms, values) in group.rows.into_iter().take(left) {
            rows.push(Row {
                series: series.len(),
                at_ms,
                values,
            });
        }
        series.push((group.labels, model::MetricType::Unspecified));
    }
    let mut warnings = found.warnings;
    if all > rows.len() {
        warnings.push(format!("the first {} of {all} rows (limit)", rows.len()));
    }
    let columns = question.aggregates.iter();
    Ok(Table {
        kind: Kind::Aggregates {
            columns: columns.map(|aggregate| aggregate.as_str()).collect(),
            from_ms,
            to_ms,
            step_ms: question.step_ms,
        },
        series,
        rows,
        warnings,
    })
}
