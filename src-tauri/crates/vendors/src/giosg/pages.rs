//! Reading a collection page by page, under any of the pagers that giosg has documented.

use std::{collections::BTreeSet, sync::Arc};

use link::{Answer as HttpAnswer, origin::same_origin, poll::Trouble};
use model::Timestamp;
use url::Url;

use super::{
    WORDS,
    rest::GiosgAsk,
    wire::{Next, Page},
};
use crate::{
    loose::Unreadable,
    rest::{self, Words},
};

/// Nobody has more pages than this; who says so goes round in circles.
const MOST_PAGES: usize = 50;

/// Pages as far as they were read.
pub(super) struct Collected<P> {
    pub pages: Vec<P>,
    /// When each of them was there, in our clock.
    pub at: Vec<Timestamp>,
    /// What is missing, where something is.
    pub problem: Option<String>,
    /// The last answer.
    pub last: HttpAnswer,
}

impl<T> Collected<Arc<Page<T>>> {
    /// Takes in what a second reading found: rows may have moved between pages meanwhile. What is still
    /// missing then is said.
    pub fn and(
        &mut self,
        again: Result<Self, Failed>,
        what: &str,
        id: impl Fn(&T) -> Option<String>,
    ) -> Result<(), Failed> {
        let again = again?;
        self.pages.extend(again.pages);
        self.at.extend(again.at);
        self.last = again.last;
        self.problem = again.problem.or_else(|| {
            let (have, total) = short(&self.pages, id)?;
            Some(format!("giosg gave {have} of {total} {what}; the others keep their last state."))
        });
        Ok(())
    }
}

/// How many different rows there are, and how many there should be, where these are more.
pub(super) fn short<T>(pages: &[Arc<Page<T>>], id: impl Fn(&T) -> Option<String>) -> Option<(usize, u32)> {
    let total = pages.last()?.total?;
    let ids: BTreeSet<String> =
        pages.iter().flat_map(|page| page.rows.iter().flatten()).filter_map(id).collect();
    (ids.len() < total as usize).then_some((ids.len(), total))
}

/// Why there is no page, and the status where there was an answer.
pub(super) struct Failed {
    pub trouble: Trouble,
    pub status: Option<u16>,
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Self {
        failed.trouble
    }
}

impl GiosgAsk {
    /// All pages of a collection. `read` parses a page under its number.
    pub(super) async fn collect<T, P: std::borrow::Borrow<Page<T>>>(
        &self,
        first: Url,
        what: &str,
        read: impl Fn(usize, &[u8]) -> Result<P, Unreadable>,
    ) -> Result<Collected<P>, Failed> {
        let (mut pages, mut at): (Vec<P>, _) = (Vec::new(), Vec::new());
        let mut asked = BTreeSet::new();
        let mut url = first.clone();
        let mut before: Option<HttpAnswer> = None;
        loop {
            asked.insert(url.to_string());
            let mut outcome = self.one(&url, what, pages.len(), &read).await;
            let broken = |failed: &Failed| matches!(failed.trouble, Trouble::Broken { .. });
            if before.is_some() && outcome.as_ref().is_err_and(broken) {
                outcome = self.one(&url, what, pages.len(), &read).await;
            }
            let (page, last) = match (outcome, before.take()) {
                (Ok(found), _) => found,
                // What was read stands; what was not keeps its last state.
                (Err(failed), Some(last)) => match failed.trouble {
                    Trouble::Broken { sentence, .. } | Trouble::Refused { sentence, .. } => {
                        return Ok(Collected { pages, at, problem: Some(sentence), last });
                    }
                    _ => return Err(failed),
                },
                (Err(failed), None) => return Err(failed),
            };
            let next = follow(&first, &url, &page.borrow().next);
            let empty = page.borrow().rows.as_ref().is_none_or(Vec::is_empty);
            pages.push(page);
            at.push(last.received_at);
            let problem = match next {
                Ok(None) => return Ok(Collected { pages, at, problem: None, last }),
                Ok(Some(next)) if asked.contains(next.as_str()) => {
                    // An empty page that points to itself is an end, however odd.
                    if empty {
                        return Ok(Collected { pages, at, problem: None, last });
                    }
                    format!(
                        "giosg's list of {what} points back to a page that was read already; the rest is left out."
                    )
                }
                Ok(Some(_)) if pages.len() >= MOST_PAGES => {
                    format!("giosg names more than {MOST_PAGES} pages of {what}; the rest is left out.")
                }
                Ok(Some(next)) => {
                    url = next;
                    before = Some(last);
                    continue;
                }
                Err(Elsewhere) => format!(
                    "giosg's list of {what} goes on at another address, where no token is sent; the rest is left out."
                ),
            };
            return Ok(Collected { pages, at, problem: Some(problem), last });
        }
    }

    async fn one<P>(
        &self,
        url: &Url,
        what: &str,
        page: usize,
        read: &impl Fn(usize, &[u8]) -> Result<P, Unreadable>,
    ) -> Result<(P, HttpAnswer), Failed> {
        let answer = self.get(url.clone()).await.map_err(|trouble| Failed { trouble, status: None })?;
        let failed = |trouble| Failed { trouble, status: Some(answer.status) };
        let body = body_of(&answer, what).map_err(failed)?;
        let parsed = read(page, body).map_err(|_| failed(rest::unreadable(&answer, what, &WORDS)))?;
        Ok((parsed, answer))
    }
}

/// Servers of this kind answer a refused token with 403, too, when their first check sends no challenge.
pub(super) fn body_of<'a>(answer: &'a HttpAnswer, what: &str) -> Result<&'a [u8], Trouble> {
    if answer.status != 403 || answer.is_html() || answer.body.len() > 4096 {
        return rest::body(answer, what, &WORDS);
    }
    let text = answer.text().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["credentials", "token"]) && !says(&["permission"]) {
        return Err(rest::sign_in_refused(answer, &WORDS));
    }
    // Which of the three causes it is stands in the answer at best; where it does not, all are named.
    let permission = match () {
        () if says(&["subscription"]) => {
            "the subscription is not active or has ended: ask whoever looks after the contract with giosg"
        }
        () if says(&["organization", "organisation"]) => {
            "the token's user may not see this organization: use a token of a user who belongs to it"
        }
        () if says(&["report"]) => {
            "the token's user lacks the permission Reporting: ask an administrator of giosg for it"
        }
        () => WORDS.permission,
    };
    rest::body(answer, what, &Words { permission, ..WORDS })
}

/// The next page is at a place where the token must not go.
#[derive(Debug, PartialEq)]
struct Elsewhere;

/// Where the next page is: the same origin and the same path as the first, or nowhere.
fn follow(first: &Url, current: &Url, next: &Next) -> Result<Option<Url>, Elsewhere> {
    match next {
        Next::None => Ok(None),
        Next::Number(number) => {
            let mut url = first.clone();
            let others: Vec<(String, String)> = first
                .query_pairs()
                .filter(|(key, _)| key != "page")
                .map(|(k, v)| (k.into(), v.into()))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("page", &number.to_string());
            Ok(Some(url))
        }
        Next::At(address) => {
            let url = current.join(address).map_err(|_| Elsewhere)?;
            let same_path = url.path().trim_end_matches('/') == first.path().trim_end_matches('/');
            let plain = url.username().is_empty() && url.password().is_none();
            if same_origin(first, &url) && same_path && plain { Ok(Some(url)) } else { Err(Elsewhere) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s11_a_pager_never_leads_elsewhere() {
        let first =
            Url::parse("https://service.giosg.com/api/v4/reporting/realtime/rooms?timezone=UTC").unwrap();
        let at = |text: &str| {
            follow(&first, &first, &Next::At(text.into())).map(|url| url.map(|url| url.to_string()))
        };
        let base = "https://service.giosg.com/api/v4/reporting/realtime/rooms";
        assert_eq!(at("?cursor=a"), Ok(Some(format!("{base}?cursor=a"))));
        assert_eq!(
            at("https://SERVICE.giosg.com:443/api/v4/reporting/realtime/rooms/?page=2"),
            Ok(Some(format!("{base}/?page=2")))
        );
        assert_eq!(at("/api/v4/reporting/realtime/rooms?page=2"), Ok(Some(format!("{base}?page=2"))));
        for elsewhere in [
            "https://evil.example/api/v4/reporting/realtime/rooms?cursor=a",
            "http://service.giosg.com/api/v4/reporting/realtime/rooms?cursor=a",
            "https://service.giosg.com:444/api/v4/reporting/realtime/rooms?cursor=a",
            "https://service.giosg.com/api/v5/users/me",
            "https://u:p@service.giosg.com/api/v4/reporting/realtime/rooms",
            "//evil.example/api/v4/reporting/realtime/rooms",
            "http://[",
        ] {
            assert_eq!(at(elsewhere), Err(Elsewhere), "{elsewhere}");
        }
        let second = follow(&first, &first, &Next::Number(2)).unwrap().unwrap();
        assert_eq!(second.as_str(), format!("{base}?timezone=UTC&page=2"));
        let third = follow(&second, &second, &Next::Number(3)).unwrap().unwrap();
        assert_eq!(third.as_str(), format!("{base}?timezone=UTC&page=3"));
    }
}
