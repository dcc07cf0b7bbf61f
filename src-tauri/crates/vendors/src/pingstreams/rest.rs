//! What is only told over REST: members, departments, groups, limits, and conversations beyond the
//! first hundred.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use link::{Answer, Auth, Http, Request, Secret, origin::place, skew::Skew};
use model::Timestamp;

use super::{
    config::Config,
    format,
    lax::{Obj, Val},
    wire::{Complaint, Department, Group, Page, Project, Row},
};
use crate::drift::{Notes, Shape, Telling};

/// Conversations per page: the server falls back to 40 above it.
pub(super) const PAGE: usize = 100;
/// More pages than any floor has; a server that never ends its list is stopped here.
const MAX_PAGES: usize = 200;

/// Why a read failed.
#[derive(Clone, Debug)]
pub(super) enum RestError {
    /// 401: the token is no longer good.
    Token,
    /// 403: not allowed. `stranger`: not even a member of the project.
    Forbidden { stranger: bool },
    /// The project is unknown there.
    NoProject,
    /// The vendor asks to slow down.
    Throttled(Option<Duration>),
    /// Anything else, as a sentence.
    Failed(String),
}

/// One round of reading. A part that failed alone is an error in its place.
pub(super) struct Roster {
    pub members: Result<Vec<Row>, RestError>,
    pub departments: Result<Vec<Department>, RestError>,
    /// `Ok(None)` when no department has a group, so that nobody needs to ask.
    pub groups: Result<Option<Vec<Group>>, RestError>,
    pub limit: Result<Option<i64>, RestError>,
}

/// What answers have said of the server's clock since it was last looked at. Every answer that has a
/// `Date` tells it, a refusal as well as a list: which part is refused must not decide what is known.
#[derive(Clone, Default)]
pub(super) struct Dates(Arc<Mutex<Vec<Dated>>>);

/// A server's time, and ours when it was asked and when it had answered.
struct Dated {
    date: Timestamp,
    sent_at: Timestamp,
    received_at: Timestamp,
}

impl Dates {
    fn hear(&self, answer: &Answer) {
        let (sent_at, received_at) = (answer.sent_at, answer.received_at);
        let dated = answer.date().map(|date| Dated { date, sent_at, received_at });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(dated);
    }
    /// Teaches a skew what was heard.
    pub fn teach(&self, skew: &mut Skew) {
        for dated in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            skew.sample(dated.date, dated.sent_at, dated.received_at);
        }
    }
}

/// Reads for one source with one token.
#[derive(Clone)]
pub(super) struct Reader {
    pub config: Config,
    pub http: Http,
    pub token: Secret,
    pub notes: Notes,
    pub dates: Dates,
}

impl Reader {
    pub async fn roster(&self) -> Roster {
        let p = self.config.project.as_str();
        let (members, departments, project) = ([p, "project_users"], [p, "departments"], ["projects", p]);
        let (members, departments, project) = tokio::join!(
            self.list::<Row>(&members, "agents", &format::MEMBERS),
            self.list::<Department>(&departments, "departments", &format::DEPARTMENTS),
            self.get(&project),
        );
        let needs_groups =
            departments.as_ref().is_ok_and(|list| list.iter().any(|d| !d.group_ids().is_empty()));
        let groups = match needs_groups {
            true => self.list::<Group>(&[p, "groups"], "groups", &format::GROUPS).await.map(Some),
            false => Ok(None),
        };
        let limit = project.and_then(|answer| {
            let project: Obj<Project> = self.read(&answer, "project", &format::PROJECT)?;
            let settings = project.object().and_then(|p| p.settings.object());
            Ok(settings.and_then(|s| s.max_agent_assigned_chat.int()).filter(|n| *n > 0))
        });
        Roster { members, departments, groups, limit }
    }

    /// All open conversations by pages. The list moves while it is read, so pages are read until one is
    /// not full; rows that appear twice are the caller's to merge.
    pub async fn open_conversations(&self) -> Result<Vec<Row>, RestError> {
        let mut rows = Vec::new();
        for page in 0..MAX_PAGES {
            let mut url = self.config.rest(&[&self.config.project, "requests"]);
            url.query_pairs_mut()
                .append_pair("limit", &PAGE.to_string())
                .append_pair("page", &page.to_string())
                .append_pair("draft", "false")
                .append_pair("no_count", "true");
            let answer = self.ask(url).await?;
            let page: Obj<Page> = self.read(&answer, "conversations", &format::PAGE)?;
            let Obj::Is(page) = page else { return Err(self.unreadable()) };
            let Obj::List(list) = page.requests else { return Err(self.unreadable()) };
            let size = |n: &Val| n.int().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
            // A server with a smaller page than asked for says so, by the page or by the count.
            let full = size(&page.per_page).unwrap_or(PAGE).min(PAGE);
            let none = list.is_empty();
            let short = list.len() < full;
            rows.extend(list);
            let missing = size(&page.count).is_some_and(|count| rows.len() < count);
            if none || (short && !missing) {
                return Ok(rows);
            }
        }
        Err(RestError::Failed(format!("{} lists conversations without end.", place(&self.config.api))))
    }

    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        part: &'static str,
        shape: &Shape,
    ) -> Result<Vec<T>, RestError> {
        let answer = self.get(path).await?;
        match self.read::<Obj<T>>(&answer, part, shape)? {
            Obj::List(list) => Ok(list),
            _ => Err(self.unreadable()),
        }
    }

    /// Parses an answer, and notes what of it is not as it should be.
    fn read<T: serde::de::DeserializeOwned>(
        &self,
        answer: &Answer,
        part: &'static str,
        shape: &Shape,
    ) -> Result<T, RestError> {
        match answer.json() {
            Ok(read) => {
                self.notes.look(part, &answer.body, shape, Telling::All);
                Ok(read)
            }
            Err(_) => {
                self.notes.unreadable(part);
                Err(self.unreadable())
            }
        }
    }

    async fn get(&self, path: &[&str]) -> Result<Answer, RestError> {
        self.ask(self.config.rest(path)).await
    }

    async fn ask(&self, url: url::Url) -> Result<Answer, RestError> {
        let request = Request::get(url).auth(Auth::Token { scheme: "JWT", token: self.token.clone() });
        let answer = self.http.send(request).await.map_err(|e| RestError::Failed(e.sentence()))?;
        self.dates.hear(&answer);
        if answer.is_success() {
            return Ok(answer);
        }
        let complaint = answer.json::<Obj<Complaint>>().ok();
        let words = complaint.as_ref().and_then(|c| c.object()).and_then(|c| c.msg.text().or(c.error.text()));
        let words = words.unwrap_or_default().to_ascii_lowercase();
        Err(match answer.status {
            401 => RestError::Token,
            403 => RestError::Forbidden { stranger: words.contains("belong") },
            400 | 404 if words.contains("project") => RestError::NoProject,
            429 => RestError::Throttled(answer.retry_after()),
            503 if answer.retry_after().is_some() => RestError::Throttled(answer.retry_after()),
            status => RestError::Failed(format!(
                "{} answered with status {status}; check `api_url` if that lasts.",
                place(&self.config.api)
            )),
        })
    }

    fn unreadable(&self) -> RestError {
        RestError::Failed(format!(
            "{} sent something else than the expected data: check `api_url`, or sign in to the network first.",
            place(&self.config.api)
        ))
    }
}
