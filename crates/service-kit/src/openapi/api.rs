//! Routes of several services, put together to one document.

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ComponentsBuilder, InfoBuilder, License, OpenApi, RefOr, Schema};

use super::operation::{BEARER, Operation, problem_response};
use super::schema::{array, integer, names, object, open_object, optional, required, string};
use crate::problem::types;

/// Routes, and the schemas that they refer to by name.
#[derive(Debug, Default)]
pub struct Api {
    routes: Vec<(HttpMethod, String, Operation)>,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Api {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route that reads.
    #[must_use]
    pub fn get(mut self, path: impl Into<String>, operation: Operation) -> Self {
        self.routes.push((HttpMethod::Get, path.into(), operation));
        self
    }

    /// Adds a route that changes something.
    #[must_use]
    pub fn post(mut self, path: impl Into<String>, operation: Operation) -> Self {
        self.routes.push((HttpMethod::Post, path.into(), operation.changing()));
        self
    }

    /// Adds a route that replaces something.
    #[must_use]
    pub fn put(mut self, path: impl Into<String>, operation: Operation) -> Self {
        self.routes.push((HttpMethod::Put, path.into(), operation.changing()));
        self
    }

    /// Adds a route that removes something.
    #[must_use]
    pub fn delete(mut self, path: impl Into<String>, operation: Operation) -> Self {
        self.routes
            .push((HttpMethod::Delete, path.into(), operation.changing()));
        self
    }

    /// Names a schema; [`super::schema::reference`] refers to it.
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>, schema: impl Into<RefOr<Schema>>) -> Self {
        self.schemas.push((name.into(), schema.into()));
        self
    }

    /// Names the schema of a type, and those that it consists of.
    #[must_use]
    pub fn schema_of<T: ToSchema>(mut self) -> Self {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        self
    }
}

/// The document of all these routes, as pretty JSON with a line break at its end.
///
/// # Panics
/// If two schemas that differ have one name; or if it cannot be written as JSON, which its types exclude.
pub fn document(parts: impl IntoIterator<Item = Api>) -> String {
    let mut paths = Paths::new();
    let mut components = shared();
    for Api { routes, schemas } in parts {
        for (method, path, operation) in routes {
            paths.add_path_operation(path, vec![method], operation);
        }
        for (name, schema) in schemas {
            let before = components.schemas.insert(name.clone(), schema.clone());
            assert!(
                before.is_none_or(|before| before == schema),
                "two schemas that differ are called {name}; `#[schema(as = …)]` gives one of them another name"
            );
        }
    }
    let info = InfoBuilder::new()
        .title("Recourse")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(licence()))
        .build();
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components);
    let mut text = document
        .to_pretty_json()
        .expect("maps with strings as keys, strings and numbers are JSON");
    text.push('\n');
    text
}

const DESCRIPTION: &str = "A support desk that records what happens to tickets as events and derives everything else from them. \
     Commands are safe to repeat with the same Idempotency-Key. Whatever cannot be done is answered with \
     application/problem+json (RFC 9457); `/problems/<code>` says what a code means. Unknown fields and parameters are \
     refused. As separate services, GET goes to query-api and everything else to command-service, on the same paths; what \
     begins with /v1/sessions is command-service's altogether.";

fn licence() -> License {
    let mut licence = License::new("Apache-2.0");
    licence.identifier = Some("Apache-2.0".to_owned());
    licence
}

/// What routes of every service refer to.
fn shared() -> Components {
    let mut components = ComponentsBuilder::new()
        .schema("Problem", problem())
        .security_scheme(
            BEARER,
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some(
                        "The administrator's token is in the data directory, file `admin-token`; `recourse token create` makes others.",
                    ))
                    .build(),
            ),
        )
        .build();
    for kind in types::ALL {
        let response = problem_response(&[*kind]);
        components.responses.insert(kind.code.to_owned(), response.into());
    }
    components
}

fn problem() -> RefOr<Schema> {
    let error = object([
        required(
            "pointer",
            "Which field: a JSON pointer into the body, or the name of a parameter or header. Empty for the body as a whole.",
            string(),
        ),
        required("code", "What is wrong, for programs.", string()),
        required("detail", "What is wrong and what would be right, for people.", string()),
    ]);
    open_object([
        required("type", "Where it is documented: `/problems/<code>`.", string()),
        required("title", "Its name for people, the same every time.", string()),
        required("status", "The HTTP status.", integer(400..=599)),
        required(
            "code",
            "Its name for programs.",
            names(types::ALL.iter().map(|kind| kind.code)),
        ),
        required("instance", "This one occurrence, as in the service's log.", string()),
        optional("detail", "What happened this time, and what to do about it.", string()),
        optional(
            "errors",
            "What is wrong with which field; every field at once.",
            array(error),
        ),
    ])
}
