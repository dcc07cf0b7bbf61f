//! Makes JSON of what some servers take for JSON.

/// `NaN`, `Infinity` and numbers that no float can hold become `null`; `None` when there are none.
pub(super) fn tidied(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let (mut rest, mut changed) = (body, false);
    while let Some((&first, after)) = rest.split_first() {
        if first == b'"' {
            let end = string_end(rest);
            out.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        } else if first == b'-' || first.is_ascii_alphanumeric() {
            let end = rest
                .iter()
                .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.')))
                .unwrap_or(rest.len());
            let (token, tail) = rest.split_at(end);
            if is_beyond(token) {
                out.extend_from_slice(b"null");
                changed = true;
            } else {
                out.extend_from_slice(token);
            }
            rest = tail;
        } else {
            out.push(first);
            rest = after;
        }
    }
    changed.then_some(out)
}

fn string_end(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn is_beyond(token: &[u8]) -> bool {
    match token {
        b"NaN" | b"-NaN" | b"nan" | b"Infinity" | b"-Infinity" | b"inf" | b"-inf" => true,
        _ => std::str::from_utf8(token)
            .ok()
            .filter(|text| text.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
            .and_then(|text| text.parse::<f64>().ok())
            .is_some_and(f64::is_infinite),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p17_only_tokens_outside_of_strings_are_replaced() {
        let body = br#"{"a":NaN,"b":[-Infinity,1e400,-1e999,7],"c":"NaN \" 1e400"}"#;
        let tidy = String::from_utf8(tidied(body).unwrap()).unwrap();
        assert_eq!(tidy, r#"{"a":null,"b":[null,null,null,7],"c":"NaN \" 1e400"}"#);
        assert!(tidied(br#"{"a":1,"b":true}"#).is_none());
        assert!(tidied(b"\"\\").is_none());
    }
}
