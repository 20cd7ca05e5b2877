//! What the console reads.

use ::console::shapes::{Names, Overview};
use http::Method;
use model::Code;
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::{FLOW, STATE, bad_parameter, limit, refused};

pub(super) fn api() -> Api {
    let index = Operation::new("index", STATE, "The console, and what there is")
        .about("The page for who accepts `text/html`; else a list of paths.")
        .answers(
            Answer::new(200, "It.")
                .with(Content::text())
                .with(Content::new("text/html", Shape::text())),
        )
        .answers(Answer::new(
            304,
            "The page is what it was, by `If-None-Match`.",
        ));
    let file = Operation::new("asset", STATE, "A file of the page")
        .takes(Parameter::path("path", Shape::text(), "As the page names it.").such_as("app.js"))
        .answers(
            Answer::new(200, "The file.")
                .with(Content::new("text/javascript", Shape::text()))
                .with(Content::new("text/css", Shape::text()))
                .with(Content::new("image/svg+xml", Shape::text())),
        )
        .answers(Answer::new(304, "It is what it was, by `If-None-Match`."))
        .answers(refused(
            404,
            "The page has no such file.",
            &[Code::NotFound],
        ));
    let overview = Operation::new(
        "overview",
        FLOW,
        "What flows and where it is, as one snapshot",
    )
    .about("Numbers are those of `/metrics`. What a role does not have is absent, not zero.")
    .answers(Answer::new(200, "The moment.").with(Content::json::<Overview>()));
    let live = Operation::new("live", FLOW, "The last minutes, and a snapshot each second")
        .about("Server-sent events: the first is `history`, then each second a `snapshot` with what `/api/v1/overview` answers.")
        .answers(
            Answer::new(200, "It goes on until one of both ends it.")
                .with(Content::new("text/event-stream", Shape::text())),
        )
        .answers(
            refused(503, "As many consoles are open as may be.", &[Code::Overloaded]).header(
                "Retry-After",
                Shape::whole(1, 60),
                "How many seconds to wait.",
            ),
        );
    let names = Operation::new("names", FLOW, "Metric names that this process knows of")
        .takes(
            Parameter::query(
                "search",
                Shape::text(),
                "Words that must be in the name, whatever their case; 256 bytes at most.",
            )
            .such_as("cpu"),
        )
        .takes(limit(50, 1000))
        .answers(Answer::new(200, "Those with most samples first.").with(Content::json::<Names>()))
        .answers(bad_parameter())
        .answers(refused(
            404,
            "It knows none: gateways do, and standalone.",
            &[Code::NotFound],
        ))
        .answers(refused(
            500,
            "A defect of ours, which its log describes.",
            &[Code::Internal],
        ))
        .answers(refused(
            503,
            "The process is stopping.",
            &[Code::ShuttingDown],
        ));
    Api::default()
        .at(Method::GET, "/", index)
        .at(Method::GET, "/assets/{path}", file)
        .routed_as(&["/assets/{*path}"])
        .at(Method::GET, "/api/v1/overview", overview)
        .at(Method::GET, "/api/v1/live", live)
        .at(Method::GET, "/api/v1/names", names)
}
