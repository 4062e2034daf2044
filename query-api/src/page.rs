//! Pages of a list.

use axum::Json;
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// How many items a page has if nobody says.
pub(crate) const LIMIT_DEFAULT: u16 = 50;

/// The most items of a page: what a person reads or a screen shows.
pub(crate) const LIMIT_MAX: u16 = 200;

/// `{"items", "next_cursor", "total"?}`.
#[derive(Debug, Serialize)]
pub(crate) struct Page<I> {
    pub(crate) items: Vec<I>,
    pub(crate) next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<i64>,
}

impl<I: Serialize> Page<I> {
    /// The answer to a request for `uri`, with a link to the next page.
    pub(crate) fn answer(self, uri: &Uri) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(cursor) = &self.next_cursor
            && let Ok(link) = HeaderValue::from_str(&format!("<{}>; rel=\"next\"", next(uri, "cursor", cursor)))
        {
            headers.insert(LINK, link);
        }
        (headers, Json(self)).into_response()
    }
}

/// The same request with another value of one parameter, which needs no escaping.
pub(crate) fn next(uri: &Uri, parameter: &str, value: &str) -> String {
    let parameter = format!("{parameter}=");
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut pairs: Vec<&str> = pairs
        .filter(|pair| !pair.is_empty() && !pair.starts_with(&parameter))
        .collect();
    let pair = format!("{parameter}{value}");
    pairs.push(&pair);
    format!("{}?{}", uri.path(), pairs.join("&"))
}

/// A page's size.
pub(crate) fn limit(text: &str) -> Result<u16, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_other_parameters() {
        let uri: Uri = "/v1/tickets?sort=-number&cursor=old&status=new".parse().unwrap();
        assert_eq!(
            next(&uri, "cursor", "new"),
            "/v1/tickets?sort=-number&status=new&cursor=new"
        );
        assert_eq!(
            next(&Uri::from_static("/v1/tickets"), "cursor", "new"),
            "/v1/tickets?cursor=new"
        );
    }
}
