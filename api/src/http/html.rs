//! A page for people: nothing is loaded from anywhere, nothing of it is kept, and nobody puts a frame around it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// Where the forms of a page lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    None,
    /// Back to us.
    Ours,
    /// Back to us, and from there on to a provider.
    Onward,
}

impl Forms {
    const fn policy(self) -> &'static str {
        match self {
            Self::None => "default-src 'none'; frame-ancestors 'none'",
            Self::Ours => "default-src 'none'; frame-ancestors 'none'; form-action 'self'",
            Self::Onward => "default-src 'none'; frame-ancestors 'none'; form-action *",
        }
    }
}

/// A page around `body`, in the language of this tag.
pub fn page(status: StatusCode, language: &str, body: &str, forms: Forms) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">{body}</html>"
    );
    let mut response = (status, Html(page)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(forms.policy()));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    response
}
