//! What an answer over HTTP means for a polled source, the same for every vendor.

use std::time::Duration;

use link::{
    Answer, NetError, Phase,
    origin::{place, same_origin},
    poll::Trouble,
};

/// Who is asked, in the words of the sentences.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The product's name.
    pub vendor: &'static str,
    /// What to check when the credentials are refused.
    pub credentials: &'static str,
    /// Which permission is missing when one part is refused.
    pub permission: &'static str,
}

/// Gives the body of an answer that is data, or says what it is instead. `what` names the part that was
/// asked for; no sentence holds anything that the vendor wrote.
pub fn body<'a>(answer: &'a Answer, what: &str, words: &Words) -> Result<&'a [u8], Trouble> {
    let vendor = words.vendor;
    let broken = |soon: bool, text: String| Err(Trouble::Broken { sentence: text, soon });
    match answer.status {
        200 | 201 | 203 if answer.is_html() => broken(
            false,
            format!(
                "{vendor} was asked for {what}, but a web page came: sign in to the network if it has a portal, or check the address."
            ),
        ),
        200 | 201 | 203 if answer.body.iter().all(u8::is_ascii_whitespace) => {
            broken(true, format!("{vendor} answered {what} with nothing; it is asked again."))
        }
        200 | 201 | 203 => Ok(&answer.body),
        status @ (202 | 204 | 205) => broken(
            false,
            format!(
                "{vendor} accepted the request for {what} and sent nothing ({status}); it is asked again."
            ),
        ),
        401 => Err(sign_in_refused(answer, words)),
        429 => Err(throttled(answer, vendor)),
        503 if answer.retry_after().is_some() => Err(throttled(answer, vendor)),
        400..=499 if speaks_of_limits(answer) => Err(throttled(answer, vendor)),
        403 if answer.is_html() => Err(Trouble::Refused {
            sentence: format!(
                "A firewall in front of {vendor} blocked {what} (403 with a web page): ask your administrator whether this computer's address is allowed."
            ),
            credentials: false,
        }),
        403 => Err(Trouble::Refused {
            sentence: format!("{vendor} refused {what} (403): {}.", words.permission),
            credentials: false,
        }),
        status @ (404 | 410) => broken(
            false,
            format!(
                "{vendor} has nothing at the address of {what} ({status}): check the address of the source."
            ),
        ),
        status @ (408 | 425 | 500..=599) => {
            broken(true, format!("{vendor} could not answer {what} ({status}); it is asked again."))
        }
        status => broken(
            false,
            format!(
                "{vendor} did not accept the request for {what} ({status}): check the source's settings."
            ),
        ),
    }
}

/// The credentials were refused.
pub fn sign_in_refused(answer: &Answer, words: &Words) -> Trouble {
    Trouble::Refused {
        sentence: format!("{} refused the sign-in ({}): {}.", words.vendor, answer.status, words.credentials),
        credentials: true,
    }
}

/// What a body means that should have been data and cannot be read as such: an error told with a good
/// status, or a format that has changed.
pub fn unreadable(answer: &Answer, what: &str, words: &Words) -> Trouble {
    if speaks_of_limits(answer) {
        return throttled(answer, words.vendor);
    }
    Trouble::Broken {
        sentence: format!(
            "{} answered {what} in a form that is not known; if it stays so, the vendor has changed its format.",
            words.vendor
        ),
        soon: true,
    }
}

/// What a failure before an answer means.
pub fn no_answer(error: &NetError) -> Trouble {
    let sentence = error.sentence();
    match &error.phase {
        _ if error.is_configuration() => Trouble::Misconfigured(sentence),
        // These are answers of a kind: the host is there, this part of it is unusable.
        Phase::TooLarge(_) | Phase::Redirect(_) | Phase::RedirectLoop => {
            Trouble::Broken { sentence, soon: false }
        }
        _ => Trouble::Link(sentence),
    }
}

/// What is sent is never repeated at another origin: whoever answers so is not the vendor, or not its
/// final address.
pub fn redirected(answer: &Answer) -> Option<Trouble> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = answer.url.join(answer.header("location")?).ok()?;
    if same_origin(&answer.url, &to) {
        return None;
    }
    Some(no_answer(&NetError { host: place(&answer.url), phase: Phase::Redirect(place(&to)) }))
}

fn throttled(answer: &Answer, vendor: &str) -> Trouble {
    let status = answer.status;
    let words = if answer.body.len() > 4096 { String::new() } else { answer.text().to_ascii_lowercase() };
    let told = answer.retry_after().or_else(|| pause_in(&words));
    if words.contains("daily") || words.contains("per day") {
        return Trouble::Throttled {
            sentence: format!(
                "{vendor}'s quota of requests for today is used up ({status}), by us or by others who share it: it is asked every quarter of an hour until a new day begins there."
            ),
            after: told.or(Some(QUOTA_PAUSE)),
        };
    }
    Trouble::Throttled {
        sentence: format!(
            "{vendor} asks us to slow down ({status}): its limit is shared by everyone behind this address or account; it is asked again after a pause."
        ),
        after: told,
    }
}

/// How often a vendor is asked whether a new day has brought a new quota.
const QUOTA_PAUSE: Duration = Duration::from_secs(900);

/// The pause that is told in words only: "Expected available in 31 seconds."
fn pause_in(text: &str) -> Option<Duration> {
    let (_, after) = text.split_once("available in ")?;
    let mut words = after.split_whitespace();
    let seconds: f64 = words.next()?.parse().ok()?;
    let unit = words.next()?;
    (unit.starts_with("second") && (0.0..=900.0).contains(&seconds)).then(|| Duration::from_secs_f64(seconds))
}

/// Some servers only say in words that a limit was passed.
fn speaks_of_limits(answer: &Answer) -> bool {
    if answer.body.len() > 4096 || answer.is_html() {
        return false;
    }
    limits_in(&answer.text())
}

/// Beside the word "limit" these say that it was passed.
const OVER: [&str; 8] = [
    "exceed",
    "reached",
    "request limit",
    "call limit",
    "calls limit",
    "over the limit",
    "hit the",
    "per minute",
];

/// Whether a text says that a limit of requests was passed.
pub fn limits_in(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "rate limit",
        "ratelimit",
        "too many requests",
        "limit exceeded",
        "exceeded the limit",
        "throttled",
        "number of requests",
    ]
    .iter()
    .any(|words| text.contains(words))
        || (text.contains("limit") && OVER.iter().any(|word| text.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l2_a_pause_that_is_told_in_words() {
        for (text, pause) in [
            ("request was throttled. expected available in 31 seconds.", Some(31)),
            ("expected available in 1.0 second.", Some(1)),
            ("available in -4 seconds", None),
            ("available in 31 minutes", None),
            ("available in nan seconds", None),
            ("no", None),
        ] {
            assert_eq!(pause_in(text), pause.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn l5_limits_told_in_words_are_recognised() {
        for text in [
            "Rate limit exceeded",
            "{\"message\":\"API calls limit has been reached.\"}",
            "Request was throttled.",
            "API call limit: 300 per 5 minutes",
            "You are over the limit of requests.",
        ] {
            assert!(limits_in(text), "{text}");
        }
        for text in [
            "Permission denied.",
            "{\"code\":403000,\"message\":\"no\"}",
            "unlimited",
            "Your plan limits this.",
        ] {
            assert!(!limits_in(text), "{text}");
        }
    }
}
