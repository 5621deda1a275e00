//! What is answered beside `/v1`: health, figures, documents, and the pages for people.

use serde_json::{Map, Value, json};

use super::parameters;

/// A route that is no operation: it has no key, is no JSON, or is for a browser.
pub struct Beside {
    pub path: &'static str,
    /// In small letters.
    pub method: &'static str,
    pub id: &'static str,
    pub summary: &'static str,
    pub about: &'static str,
    /// Status, media type (empty without a body) and what it means.
    pub answers: &'static [(&'static str, &'static str, &'static str)],
}

const HTML: &str = "text/html";
const PAGE: &[(&str, &str, &str)] = &[
    ("200", HTML, "How the payment stands, and what can be done."),
    ("303", "", "To the provider's page."),
    ("404", HTML, "No such link."),
    ("429", "application/problem+json", "Looked at too often."),
    ("503", HTML, "It cannot be read now."),
];
const ASKED: &[(&str, &str, &str)] = &[
    ("200", HTML, "What could not be done, and what can."),
    ("303", "", "To the provider's page."),
    ("404", HTML, "No such link."),
    ("413", "text/plain", "More than a form."),
    ("415", "text/plain", "No form."),
    ("422", "text/plain", "No form of ours."),
    ("429", "application/problem+json", "Asked too often."),
    ("503", HTML, "It cannot be read now."),
];

const STOPS: &[(&str, &str, &str)] = &[
    ("200", HTML, "How it stands."),
    ("404", HTML, "No such link."),
    ("429", "application/problem+json", "Asked too often."),
    ("503", HTML, "Not now."),
];

pub const ROUTES: &[Beside] = &[
    Beside {
        path: "/livez",
        method: "get",
        id: "health.live",
        summary: "The process answers",
        about: "For whoever starts it again when it does not.",
        answers: &[("200", "application/json", "It does.")],
    },
    Beside {
        path: "/readyz",
        method: "get",
        id: "health.ready",
        summary: "The process can work",
        about: "The log can be read, and the process is not about to end. Says the log's id and its last position, too.",
        answers: &[("200", "application/json", "It can."), ("503", "application/json", "Not now; `status` says why.")],
    },
    Beside {
        path: "/metrics",
        method: "get",
        id: "health.metrics",
        summary: "Figures for Prometheus",
        about: "docs/metrics.md.",
        answers: &[("200", "text/plain", "The figures.")],
    },
    Beside {
        path: "/openapi.json",
        method: "get",
        id: "document.openapi",
        summary: "This document",
        about: "OpenAPI 3.1, made from the rows that the router is made from.",
        answers: &[("200", "application/json", "The document.")],
    },
    Beside {
        path: "/asyncapi.json",
        method: "get",
        id: "document.asyncapi",
        summary: "The events as a document",
        about: "AsyncAPI 3.",
        answers: &[("200", "application/json", "The document.")],
    },
    Beside {
        path: "/problems/{code}",
        method: "get",
        id: "problem.page",
        summary: "What a code means",
        about: "The page at the `type` of a problem, in French, English and Wolof.",
        answers: &[("200", HTML, "The page."), ("404", HTML, "No such code.")],
    },
    Beside {
        path: "/pay/{token}",
        method: "get",
        id: "pay.page",
        summary: "The page of a payment",
        about: "`pay_url` of a payment: for a browser, in French, the same for ever.",
        answers: PAGE,
    },
    Beside {
        path: "/pay/{token}",
        method: "post",
        id: "pay.other_way",
        summary: "Pay another way",
        about: "The form of that page.",
        answers: ASKED,
    },
    Beside {
        path: "/pay/{token}/success",
        method: "get",
        id: "pay.succeeded",
        summary: "Back from the provider",
        about: "Proves nothing: the page says how the payment stands.",
        answers: PAGE,
    },
    Beside {
        path: "/pay/{token}/error",
        method: "get",
        id: "pay.failed",
        summary: "Back from the provider without having paid",
        about: "Proves nothing: the page says how the payment stands.",
        answers: PAGE,
    },
    Beside {
        path: "/pay/share/{token}",
        method: "get",
        id: "pay.share",
        summary: "The page of a share",
        about: "`url` of a share: for a browser, in French.",
        answers: PAGE,
    },
    Beside {
        path: "/pay/share/{token}",
        method: "post",
        id: "pay.ask_share",
        summary: "Pay a share",
        about: "The form of that page.",
        answers: ASKED,
    },
    Beside {
        path: "/stop/{token}",
        method: "get",
        id: "stop.page",
        summary: "What is about to change",
        about: "The link of a message: somebody asked for a new PIN, or another number. For a browser, in the client's language.",
        answers: STOPS,
    },
    Beside {
        path: "/stop/{token}",
        method: "post",
        id: "stop.stop",
        summary: "Stop it",
        about: "The button of that page. Again says that it is over.",
        answers: STOPS,
    },
];

impl Beside {
    pub fn describe(&self) -> Value {
        let parameters: Vec<Value> = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| parameters::segment(self.path, name))
            .collect();
        let answers: Map<String, Value> = self
            .answers
            .iter()
            .map(|(status, media, about)| {
                let mut answer = json!({ "description": about });
                if !media.is_empty() {
                    let schema =
                        if media.ends_with("json") { json!({ "type": "object" }) } else { json!({ "type": "string" }) };
                    answer["content"] = json!({ *media: { "schema": schema } });
                }
                ((*status).to_owned(), answer)
            })
            .collect();
        let tag = self.id.split('.').next().unwrap_or_default();
        let mut described = json!({
            "operationId": self.id, "tags": [tag], "summary": self.summary, "description": self.about,
            "parameters": parameters, "responses": answers, "security": [], "x-authz": { "anyone": true },
        });
        // A button sends nothing along.
        if self.method == "post" && tag != "stop" {
            described["requestBody"] = json!({
                "required": true,
                "content": { "application/x-www-form-urlencoded": { "schema": {
                    "type": "object",
                    "properties": {
                        "method": { "type": "string", "description": "`wave`, `orange_money`, …" },
                        "phone": { "type": "string", "description": "Whose share it is." },
                    },
                    "required": ["method"],
                } } },
            });
        }
        described
    }
}
