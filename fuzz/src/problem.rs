//! Stands in for the API's problem documents, so that its JSON reader is built here from its own source and without the
//! rest of the API: as much of them as the reader uses.

use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Problem {
    pub code: String,
    pub said: Vec<(String, Value)>,
}

impl Problem {
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into(), said: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.said.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn at(self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (pointer, detail): (String, String) = (pointer.into(), detail.into());
        self.with(&pointer, detail)
    }
}
