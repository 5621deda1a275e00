//! How the bytes of an input become headers, a body, and what to do with them.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Where the clocks of signed messages stand.
pub const T: i64 = 1_763_800_000;

/// An input of `signatures`: eight bytes that choose, header lines, an empty line, the body.
#[derive(Clone, Debug)]
pub struct Case {
    pub provider: u8,
    pub mode: Mode,
    /// Aggregators write forms or JSON.
    pub json: bool,
    /// Whether Sonatel has issued a secret to sign with.
    pub signed: bool,
    pub mutation: u8,
    pub at: usize,
    pub now: i64,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it comes, against secrets that it cannot know.
    Stranger,
    /// As it comes, against those of the vectors.
    AsIs,
    /// The harness signs the body, then changes something.
    Signed,
}

impl Case {
    /// `None` for an input that is too short.
    pub fn of(input: &[u8]) -> Option<Self> {
        let (head, rest) = input.split_first_chunk::<8>()?;
        let [choice, mutation, low, high, offset @ ..] = *head;
        let (lines, body) = cut(rest);
        Some(Self {
            provider: choice & 3,
            mode: match choice >> 2 & 3 {
                0 => Mode::Stranger,
                1 => Mode::AsIs,
                _ => Mode::Signed,
            },
            json: choice & 16 != 0,
            signed: choice & 32 == 0,
            mutation,
            at: usize::from(u16::from_le_bytes([low, high])),
            now: T + i64::from(i32::from_le_bytes(offset)),
            headers: headers(lines),
            body: body.to_vec(),
        })
    }
}

/// At the first empty line. Without one there are no headers.
fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = bytes.strip_prefix(b"\n") {
        return (&[], body);
    }
    match bytes.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (&[], bytes),
    }
}

/// `name: value` per line; what HTTP would not carry is left out.
fn headers(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii())) {
            headers.append(name, value);
        }
    }
    headers
}

/// An input of `webhook_bodies`: the provider, the length of an idempotency key, the key, the body.
pub fn message(input: &[u8]) -> Option<(u8, HeaderMap, &[u8])> {
    let ([provider, length], rest) = input.split_first_chunk::<2>()?;
    let (key, body) = rest.split_at(usize::from(*length).min(rest.len()));
    let mut headers = HeaderMap::new();
    if let (false, Ok(value)) = (key.is_empty(), HeaderValue::from_bytes(key)) {
        headers.insert("x-sonatel-idempotency-key", value);
    }
    Some((provider % 4, headers, body))
}
