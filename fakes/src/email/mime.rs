//! Just enough of MIME to show a mail to a person or a test: subject (RFC 2047) and first text part (RFC 2045).

use base64::{Engine, engine::general_purpose::STANDARD};

/// A header's value, unfolded.
pub(crate) fn header(raw: &str, name: &str) -> Option<String> {
    let (head, _) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

pub(crate) fn subject(raw: &str) -> String {
    let text = header(raw, "Subject").unwrap_or_default();
    // White space between two encoded words does not count (RFC 2047 §6.2).
    let text = text.replace("?= =?", "?==?");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("=?") {
        out.push_str(before);
        let mut parts = after.splitn(4, '?');
        let (_charset, kind, word, tail) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(kind), Some(word), Some(tail)) = (kind, word, tail.and_then(|tail| tail.strip_prefix('='))) else {
            out.push_str("=?");
            rest = after;
            continue;
        };
        let bytes = if kind.eq_ignore_ascii_case("b") {
            STANDARD.decode(word).unwrap_or_default()
        } else {
            quoted(&word.replace('_', " "))
        };
        out.push_str(&String::from_utf8_lossy(&bytes));
        rest = tail;
    }
    out + rest
}

/// The first text part, decoded.
pub(crate) fn text(raw: &str) -> String {
    let kind = header(raw, "Content-Type").unwrap_or_default();
    let (_, body) = raw.split_once("\r\n\r\n").unwrap_or(("", raw));
    if let Some((_, after)) = kind.split_once("boundary=") {
        let boundary = after.trim_start_matches('"').split(['"', ';']).next().unwrap_or_default();
        let first = body.split(&format!("--{boundary}")).nth(1).unwrap_or_default();
        return text(first.trim_start_matches("\r\n"));
    }
    let bytes = match header(raw, "Content-Transfer-Encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
        "base64" => STANDARD.decode(body.replace(['\r', '\n'], "")).unwrap_or_default(),
        "quoted-printable" => quoted(&body.replace("=\r\n", "")),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&bytes).trim_end().replace("\r\n", "\n")
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        let pair = rest.get(..2).filter(|_| first == b'=').and_then(|pair| hex::decode(pair).ok());
        match pair.as_deref() {
            Some([byte]) => {
                out.push(*byte);
                bytes = rest.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(first);
                bytes = rest;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_and_bodies_are_read() {
        let raw = "Subject: =?utf-8?b?UsOpc2VydmF0aW9u?= =?utf-8?q?_confirm=C3=A9e?=\r\n\
                   Content-Transfer-Encoding: quoted-printable\r\n\r\nBillet n=C2=B0=\r\n 7\r\n";
        assert_eq!(subject(raw), "Réservation confirmée");
        assert_eq!(text(raw), "Billet n° 7");
    }

    #[test]
    fn the_first_part_of_several_is_shown() {
        let raw = "Content-Type: multipart/alternative; boundary=\"xx\"\r\n\r\n--xx\r\nContent-Type: text/plain\r\n\
                   Content-Transfer-Encoding: base64\r\n\r\nQm9uam91cg==\r\n--xx\r\n\r\n<b>non</b>\r\n--xx--\r\n";
        assert_eq!(text(raw), "Bonjour");
    }
}
