//! Every refusal as a problem document (RFC 9457): what happened, whether it was done, whether to try again.

pub mod catalogue;
mod example;
mod page;

pub use catalogue::{Outcome, Words};
pub use example::example;
pub use page::page;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::http::language::Language;

/// A refusal on its way out. `code` is stable and documented at `type`; `values` fill the sentences.
#[derive(Clone, Debug)]
pub struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    code: String,
    values: Map<String, Value>,
    /// Shared: a thousand refusals of one slot name the same alternatives.
    members: BTreeMap<String, Arc<Value>>,
    errors: Vec<FieldError>,
    retry_after: Option<u64>,
    /// For codes of the domain that have no sentence of their own in the catalogue.
    fallback: Option<String>,
    outcome: Option<Outcome>,
}

/// One thing wrong with the body or a parameter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Name of the query parameter or header, when that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    pub detail: String,
}

/// Where a problem happened: what the document says about the request.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    pub instance: &'a str,
    pub request_id: &'a str,
    pub language: Language,
    /// Base of the `type` addresses; empty for relative ones.
    pub base_url: &'a str,
}

impl Problem {
    /// A problem by its code, such as `reservation.slot_taken`.
    pub fn new(code: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code: code.into(),
            values: Map::new(),
            members: BTreeMap::new(),
            errors: Vec::new(),
            retry_after: None,
            fallback: None,
            outcome: None,
        }))
    }

    /// A value for the sentences of the catalogue, `{name}`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.values.insert(name.to_owned(), value.into());
        self
    }

    /// An extension member of the document.
    #[must_use]
    pub fn member(self, name: &str, value: impl Into<Value>) -> Self {
        self.shared(name, Arc::new(value.into()))
    }

    /// The same, of a value that many refusals have.
    #[must_use]
    pub fn shared(mut self, name: &str, value: Arc<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value);
        self
    }

    /// What is wrong at a place of the body.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldError { pointer: Some(pointer.into()), parameter: None, detail: detail.into() });
        self
    }

    /// What is wrong with a query parameter or header.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldError { pointer: None, parameter: Some(name.into()), detail: detail.into() });
        self
    }

    /// Seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The sentence used when the catalogue has none for this code.
    #[must_use]
    pub fn saying(mut self, sentence: impl Into<String>) -> Self {
        self.0.fallback = Some(sentence.into());
        self
    }

    /// Instead of what the catalogue says of the code.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = Some(outcome);
        self
    }

    /// Somebody has made sure that what is said of the outcome is so.
    #[must_use]
    pub fn certain(mut self) -> Self {
        self.0.outcome = self.0.outcome.or(Some(catalogue::find(&self.0.code).outcome));
        self
    }

    /// Whether the request was carried out before, under its key, nobody has asked: it is not known, whatever the code
    /// says of itself.
    #[must_use]
    pub fn unless_certain(mut self, outcome: Outcome) -> Self {
        self.0.outcome = self.0.outcome.or(Some(outcome));
        self
    }

    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// That of the code in the catalogue; 422 for a rule that has no entry there.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(catalogue::find(&self.0.code).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The document but for its own members.
    /// What is wrong, in the words of the catalogue.
    pub fn sentence(&self, language: Language) -> String {
        fill(catalogue::find(&self.0.code).detail.of(language), &self.0.values)
    }

    fn common(&self, occasion: Occasion<'_>) -> Value {
        let entry = catalogue::find(&self.0.code);
        let known = entry.code == self.0.code;
        let sentence = fill(entry.detail.of(occasion.language), &self.0.values);
        let sentence = match &self.0.fallback {
            // The rule's own words, when the catalogue has none or a value for them is not there.
            Some(fallback) if !known || sentence.contains("{value}") => fallback.clone(),
            _ => sentence,
        };
        let mut document = json!({
            "type": format!("{}/problems/{}", occasion.base_url, self.0.code),
            "title": entry.title.of(occasion.language),
            "status": entry.status,
            "detail": sentence,
            "instance": occasion.instance,
            "code": self.0.code,
            "request_id": occasion.request_id,
            "retryable": entry.retryable,
            "outcome": self.0.outcome.unwrap_or(entry.outcome),
        });
        if let Some(members) = document.as_object_mut()
            && !self.0.errors.is_empty()
        {
            members.insert("errors".to_owned(), json!(self.0.errors));
        }
        document
    }

    /// As JSON.
    pub fn document(&self, occasion: Occasion<'_>) -> String {
        let common = self.common(occasion);
        let common = common.as_object().into_iter().flatten();
        let mut members: BTreeMap<&str, &Value> = common.map(|(name, value)| (name.as_str(), value)).collect();
        members.extend(self.0.members.iter().map(|(name, value)| (name.as_str(), value.as_ref())));
        // Neither a name nor a value that is not JSON is among them.
        serde_json::to_string(&members).unwrap_or_default()
    }

    /// The answer as it leaves.
    pub fn render(&self, occasion: Occasion<'_>) -> Response<Body> {
        let body = self.document(occasion);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(occasion.language.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kalel\""));
        }
        response
    }
}

/// Puts the values into a sentence of the catalogue.
fn fill(sentence: &str, values: &Map<String, Value>) -> String {
    values.iter().fold(sentence.to_owned(), |text, (name, value)| {
        let shown = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text.replace(&format!("{{{name}}}"), &shown)
    })
}

/// The problem document, as the OpenAPI document describes it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Address of a page that explains this code.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// In the language asked for: fr (default), en or wo.
    detail: String,
    instance: String,
    /// Stable, for programs.
    code: String,
    request_id: String,
    /// Whether the same request, with the same key, can succeed later.
    retryable: bool,
    outcome: Outcome,
    errors: Option<Vec<FieldError>>,
    /// The rule that refused, its value and its version.
    rule: Option<Value>,
    /// Up to five other slots, when the one asked for is taken.
    alternatives: Option<Vec<Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCCASION: Occasion<'static> =
        Occasion { instance: "/v1/x", request_id: "r", language: Language::En, base_url: "https://k.example" };

    fn document(problem: &Problem, occasion: Occasion<'_>) -> Value {
        serde_json::from_str(&problem.document(occasion)).unwrap()
    }

    #[test]
    fn a_document_says_all_that_rfc_9457_and_we_promise() {
        let problem =
            Problem::new("request.invalid_field").at("/minutes", "must be positive").member("rule", json!([1]));
        let document = document(&problem, OCCASION);
        for member in [
            "type",
            "title",
            "status",
            "detail",
            "instance",
            "code",
            "errors",
            "request_id",
            "retryable",
            "outcome",
            "rule",
        ] {
            assert!(document.get(member).is_some(), "{member} is missing");
        }
        assert_eq!(document["type"], "https://k.example/problems/request.invalid_field");
        assert_eq!(document["errors"][0]["pointer"], "/minutes");
    }

    #[test]
    fn an_unknown_code_of_the_domain_is_still_a_documented_rule() {
        let problem = Problem::new("site.some_new_rule").saying("It is so.");
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(document(&problem, OCCASION)["detail"], "It is so.");
    }

    #[test]
    fn sentences_are_filled_in_the_language_asked_for() {
        let problem = Problem::new("request.unsupported_media_type").with("expected", "application/json");
        let french = document(&problem, Occasion { language: Language::Fr, ..OCCASION });
        assert_ne!(french["detail"], document(&problem, OCCASION)["detail"]);
        assert!(french["detail"].as_str().unwrap().contains("application/json"));
    }
}
