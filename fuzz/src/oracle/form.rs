//! Forms, as the URL standard decodes them.

use super::members;
use crate::tree::Tree;

/// Names and values.
pub type Fields = Vec<(String, Option<String>)>;

pub fn decoded(body: &[u8]) -> Fields {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = at.map_or((pair, &pair[pair.len()..]), |at| (&pair[..at], &pair[at + 1..]));
            (plain(name), Some(plain(value)))
        })
        .collect()
}

/// `+` is a blank, `%41` is `A`; what is no UTF-8 is replaced.
fn plain(bytes: &[u8]) -> String {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// By its type; by its first character where that says nothing.
pub fn is_json(kind: Option<&str>, body: &[u8]) -> bool {
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let form = kind.contains("form-urlencoded");
    kind.contains("json") || (!form && body.trim_ascii_start().first() == Some(&b'{'))
}

/// What a callback of PayDunya's says at the top of its payload, in each way of writing it: JSON, a form with JSON under
/// `data`, a form with brackets.
pub fn said(body: &[u8]) -> Fields {
    if body.trim_ascii_start().first() == Some(&b'{') {
        return Tree::read(body).map_or_else(Vec::new, |tree| inside(&tree));
    }
    let mut said = Vec::new();
    for (name, value) in decoded(body) {
        match name.strip_prefix("data") {
            Some("") => {
                let tree = value.and_then(|text| Tree::read(text.as_bytes()));
                said.extend(tree.iter().flat_map(members));
            }
            Some(rest) if rest.starts_with('[') => {
                let (first, deeper) = rest[1..].split_once(']').unwrap_or((&rest[1..], ""));
                said.push((first.to_owned(), value.filter(|_| deeper.is_empty())));
            }
            _ => {
                let (first, deeper) = name.split_once('[').unwrap_or((&name, ""));
                said.push((first.to_owned(), value.filter(|_| deeper.is_empty())));
            }
        }
    }
    said
}

fn inside(tree: &Tree) -> Fields {
    let mut said = members(tree);
    for data in tree.under("data") {
        let inner = data.text().and_then(|text| Tree::read(text.as_bytes()));
        said.extend(members(inner.as_ref().unwrap_or(data)));
    }
    said
}
