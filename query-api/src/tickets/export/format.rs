//! What a file can be.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::params::one_of;

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Ndjson,
    Xlsx,
    Parquet,
}

impl Format {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Csv, Self::Ndjson, Self::Xlsx, Self::Parquet];

    /// Its name in the query, and at the end of the file's.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// The format of that name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        one_of(&Self::ALL, Self::as_str)(text)
    }

    /// What the file is to programs.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The headers of a file made at `now`.
    pub(super) fn headers(self, now: Timestamp) -> HeaderMap {
        let at = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
        let disposition = format!("attachment; filename=\"tickets-{at}.{}\"", self.as_str());
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(self.content_type()))]);
        if let Ok(disposition) = HeaderValue::from_str(&disposition) {
            headers.insert(CONTENT_DISPOSITION, disposition);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_the_moment_that_it_shows() {
        let headers = Format::Csv.headers("2026-03-02T09:00:01.5Z".parse().unwrap());
        assert_eq!(headers[CONTENT_TYPE], "text/csv; charset=utf-8");
        assert_eq!(
            headers[CONTENT_DISPOSITION],
            "attachment; filename=\"tickets-20260302T090001Z.csv\""
        );
    }
}
