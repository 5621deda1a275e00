//! The page behind a problem's `type`: what the code means and what to do, in three languages.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};

use super::{
    catalogue::{self, Entry},
    example::open,
};

/// The page of one code; 404 for a code nobody uses.
pub fn page(code: &str) -> Response<Body> {
    let (status, html) = match catalogue::ENTRIES.iter().copied().flatten().find(|entry| entry.code == code) {
        Some(entry) => (StatusCode::OK, html(entry)),
        None => {
            (StatusCode::NOT_FOUND, "<!doctype html><meta charset=utf-8><title>?</title><p>Unknown code.".to_owned())
        }
    };
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn html(entry: &Entry) -> String {
    let retry =
        if entry.retryable { "yes, the same request with the same key" } else { "no, change the request first" };
    let outcome = entry.outcome.as_str();
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{code}</title>\
         <h1><code>{code}</code></h1><p>HTTP {status} · done? <b>{outcome}</b> · try again? {retry}</p>",
        code = entry.code,
        status = entry.status,
    );
    for (tag, title, detail) in [
        ("fr", entry.title.fr, entry.detail.fr),
        ("en", entry.title.en, entry.detail.en),
        ("wo", entry.title.wo, entry.detail.wo),
    ] {
        let detail = open(detail);
        page.push_str(&format!("<section lang=\"{tag}\"><h2>{title}</h2><p>{detail}</p></section>"));
    }
    page
}
