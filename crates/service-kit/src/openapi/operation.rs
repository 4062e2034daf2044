//! One route, as its callers need to know it.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{self, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, ContentBuilder, RefOr, Required, Response, ResponseBuilder};

use super::schema::{Shape, all_of, integer_from, names, open_object, optional, reference, string};
use crate::problem::{PROBLEM_JSON, ProblemType, types};

/// The name of the one security scheme.
pub(super) const BEARER: &str = "bearer";

const JSON: &str = "application/json";

/// What stands in a body: its media type, shape and example.
#[derive(Debug)]
pub struct Payload {
    media_type: &'static str,
    content: Content,
}

impl Payload {
    /// A body of some media type.
    pub fn new(media_type: &'static str, shape: Shape) -> Self {
        let content = Content::new(Some(shape));
        Self { media_type, content }
    }

    /// A body that is no text: no schema describes it.
    pub fn bytes(media_type: &'static str) -> Self {
        let content = Content::default();
        Self { media_type, content }
    }

    /// Shows one.
    #[must_use]
    pub fn example(mut self, example: Value) -> Self {
        self.content.example = Some(example);
        self
    }
}

/// A JSON body.
pub fn json(shape: Shape) -> Payload {
    Payload::new(JSON, shape)
}

fn parameter(place: ParameterIn, name: &str, about: &str, shape: Shape) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(shape))
        .build()
}

/// A query parameter, which may be left out.
pub fn query(name: &str, about: &str, shape: Shape) -> Parameter {
    parameter(ParameterIn::Query, name, about, shape)
}

/// A header of the request, which may be left out.
pub fn header(name: &str, about: &str, shape: Shape) -> Parameter {
    parameter(ParameterIn::Header, name, about, shape)
}

/// A part of the path.
pub fn path(name: &str, about: &str, shape: Shape) -> Parameter {
    let mut parameter = parameter(ParameterIn::Path, name, about, shape);
    parameter.required = Required::True;
    parameter
}

/// A route, while it is described.
#[derive(Debug)]
pub struct Operation {
    described: path::Operation,
    answers: BTreeMap<u16, Response>,
    problems: Vec<&'static ProblemType>,
}

impl Operation {
    /// A route by the name that generated clients give it, under a heading, in a few words. It may fail as any
    /// route may.
    pub fn new(id: impl Into<String>, tag: &str, summary: impl Into<String>) -> Self {
        let mut described = path::Operation::new();
        described.operation_id = Some(id.into());
        described.tags = Some(vec![tag.to_owned()]);
        described.summary = Some(summary.into());
        Self {
            described,
            answers: BTreeMap::new(),
            problems: vec![&types::TOO_MANY_REQUESTS, &types::INTERNAL],
        }
    }

    /// A route that answers under any load, and from memory.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.problems.clear();
        self
    }

    /// What more there is to know.
    #[must_use]
    pub fn about(mut self, description: impl Into<String>) -> Self {
        self.described.description = Some(description.into());
        self
    }

    /// The route takes a token.
    #[must_use]
    pub fn for_callers(mut self) -> Self {
        let bearer = SecurityRequirement::new(BEARER, [""; 0]);
        self.described.security = Some(vec![bearer]);
        self.problems(&[
            &types::UNAUTHENTICATED,
            &types::PASSWORD_CHANGE_REQUIRED,
            &types::INSUFFICIENT_SCOPE,
        ])
    }

    /// The route does more than read: whoever looks through another's eyes is refused.
    pub(super) fn changing(self) -> Self {
        if self.described.security.is_some() {
            self.problems(&[&types::VIEWING_ONLY])
        } else {
            self
        }
    }

    /// What the query, the path and the headers may say.
    #[must_use]
    pub fn parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        let all = self.described.parameters.get_or_insert_default();
        all.extend(parameters.into_iter().map(RefOr::T));
        self
    }

    /// What the body must be.
    #[must_use]
    pub fn body(mut self, required: Required, payload: Payload) -> Self {
        let body = RequestBodyBuilder::new()
            .required(Some(required))
            .content(payload.media_type, payload.content);
        self.described.request_body = Some(RefOr::T(body.build()));
        self
    }

    /// What is answered if it went well. Several times for one status: several media types.
    #[must_use]
    pub fn answer(mut self, status: u16, about: &str, payload: Payload) -> Self {
        let answer = self.answers.entry(status).or_insert_with(|| Response::new(about));
        answer
            .content
            .insert(payload.media_type.to_owned(), payload.content.into());
        self
    }

    /// The same, where there is nothing to say.
    #[must_use]
    pub fn answer_without_body(mut self, status: u16, about: &str) -> Self {
        self.answers.insert(status, Response::new(about));
        self
    }

    /// A header of every answer that was described so far.
    #[must_use]
    pub fn answers_with(mut self, name: &str, about: &str, shape: &Shape) -> Self {
        for answer in self.answers.values_mut() {
            answer
                .headers
                .insert(name.to_owned(), of_answer(about, shape.clone()).into());
        }
        self
    }

    /// Why it may not go well.
    #[must_use]
    pub fn problems(mut self, problems: &[&'static ProblemType]) -> Self {
        self.problems.extend(problems);
        self
    }
}

fn of_answer(about: &str, shape: Shape) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(shape))
        .description(Some(about))
        .build()
}

impl From<Operation> for path::Operation {
    fn from(operation: Operation) -> Self {
        let mut described = operation.described;
        let mut by_status: BTreeMap<u16, Vec<&'static ProblemType>> = BTreeMap::new();
        for problem in operation.problems {
            let same = by_status.entry(problem.status).or_default();
            if !same.contains(&problem) {
                same.push(problem);
            }
        }
        let mut responses: BTreeMap<String, RefOr<Response>> = operation
            .answers
            .into_iter()
            .map(|(status, answer)| (status.to_string(), answer.into()))
            .collect();
        for (status, problems) in by_status {
            let response = match problems.as_slice() {
                [one] => Ref::from_response_name(one.code).into(),
                several => problem_response(several).into(),
            };
            responses.insert(status.to_string(), response);
        }
        described.responses.responses = responses;
        described
    }
}

/// The answer for problems that share a status.
pub(super) fn problem_response(kinds: &[&'static ProblemType]) -> Response {
    let lines: Vec<String> = kinds
        .iter()
        .map(|kind| format!("`{}`: {}.", kind.code, kind.title))
        .collect();
    let this = open_object([optional("code", "", names(kinds.iter().map(|kind| kind.code)))]);
    let content = ContentBuilder::new()
        .schema(Some(all_of([reference("Problem"), this])))
        .build();
    let response = ResponseBuilder::new()
        .description(lines.join(" "))
        .content(PROBLEM_JSON, content);
    match kinds.first().map_or(0, |kind| kind.status) {
        401 => response.header("WWW-Authenticate", of_answer("How to present a token.", string())),
        405 => response.header("Allow", of_answer("The methods that the path takes.", string())),
        429 | 503 => response.header(
            "Retry-After",
            of_answer("After how many seconds trying again makes sense.", integer_from(0)),
        ),
        _ => response,
    }
    .build()
}
