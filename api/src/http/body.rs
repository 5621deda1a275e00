//! Takes a body in: bounded in size and time, of the declared type.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, header},
};

use crate::{http::operation::Operation, problem::Problem};

/// Largest body accepted (api.md), but for files.
pub const LARGEST: usize = 64 * 1024;
const SLOWEST: Duration = Duration::from_secs(5);

/// # Errors
/// 415 for another type than JSON, 413 when too large, 408 when too slow.
pub async fn collect(operation: &Operation, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    if operation.body.is_none() && !operation.raw_body && operation.upload.is_none() {
        return Ok(Bytes::new());
    }
    if operation.body.is_some() && !is_json(headers) {
        return Err(Problem::new("request.unsupported_media_type").with("expected", "application/json"));
    }
    if let Some(upload) = operation.upload
        && !is(upload.media, headers)
    {
        return Err(Problem::new("request.unsupported_media_type").with("expected", upload.media));
    }
    let largest = operation.upload.map_or(LARGEST, |upload| upload.most);
    let too_large = || Problem::new("request.too_large").with("limit", largest);
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > largest) {
        return Err(too_large());
    }
    match tokio::time::timeout(SLOWEST, to_bytes(body, largest)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // The only error besides the limit is a connection that broke: nobody is left to read the answer.
        Ok(Err(_)) => Err(too_large()),
        Err(_elapsed) => Err(Problem::new("request.timeout")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    is("application/json", headers)
}

/// Of that type, in UTF-8.
fn is(media: &str, headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let is_media = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(media));
    is_media
        && parts.all(|part| {
            !part.to_ascii_lowercase().starts_with("charset=") || part.to_ascii_lowercase().contains("utf-8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
        headers
    }

    #[test]
    fn only_json_in_utf_8_is_json() {
        assert!(is_json(&typed("application/json")));
        assert!(is_json(&typed("Application/JSON; charset=UTF-8")));
        assert!(!is_json(&typed("application/json; charset=latin1")));
        assert!(!is_json(&typed("text/plain")));
        assert!(!is_json(&HeaderMap::new()));
    }
}
