//! Asking Comm100: which address, which page, and what each answer amounts to.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use link::{
    Answer as HttpAnswer, Auth, Clock, Http, Request, Secret,
    poll::{Ask, Bodies, Good, Share, Trouble},
};
use serde::Deserialize;
use url::Url;

use super::{
    AGENTS, LOOKUPS, QUEUE, RIGHTNOW, TODAY, WORDS,
    auth::{Identity, bearer},
    wire::{
        AgentRow, AwayStatus, Department, Distribution, Listed, NamedStatus, Person, QueueRow, RightNow,
        Today,
    },
};
use crate::{
    drift::{Notes, Shaped},
    loose::Unreadable,
    rest,
};

/// What an endpoint said.
pub enum Answer {
    RightNow(Arc<RightNow>),
    Queue(Arc<Listed<QueueRow>>),
    Agents { pages: Vec<Arc<Listed<AgentRow>>>, whole: bool },
    Today(Arc<Today>),
    LookUps(LookUps),
    Statuses(Arc<Listed<NamedStatus>>),
}

/// What could be looked up this time.
#[derive(Default)]
pub struct LookUps {
    pub departments: Option<Listed<Department>>,
    /// Asked only when departments may not be read.
    pub people: Option<Vec<Listed<Person>>>,
    pub away: Option<Listed<AwayStatus>>,
    pub distribution: Option<Distribution>,
}

/// Nobody has more pages than this; who says so goes round in circles.
const MOST_PAGES: u32 = 50;
const PAGE_SIZE: &str = "100";

/// The sign-in was good, and what it gave is not taken.
fn token_refused() -> Trouble {
    Trouble::Refused {
        sentence: "Comm100 accepted the sign-in and then refused its own token (401): check whether `url` and `token_url` belong to the same site as `site_id`, and whether `client_id` may use the API.".to_owned(),
        credentials: true,
    }
}

/// The asking half of a Comm100 source.
pub struct Comm100Ask {
    http: Http,
    base: Url,
    site_id: i64,
    identity: Identity,
    secret: Secret,
    budget: Arc<Share>,
    clock: Arc<dyn Clock>,
    /// What of the format is not as it should be.
    pub notes: Notes,
    rightnow: Bodies<RightNow>,
    queue: Bodies<Listed<QueueRow>>,
    agents: Bodies<Listed<AgentRow>>,
    today: Bodies<Today>,
    /// Look-ups that were refused once: not asked again before the next start.
    forbidden: Mutex<BTreeSet<&'static str>>,
}

impl Comm100Ask {
    /// Nothing is asked yet.
    pub fn new(
        http: Http,
        base: Url,
        site_id: i64,
        identity: Identity,
        secret: Secret,
        budget: Arc<Share>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            site_id,
            identity,
            secret,
            budget,
            clock,
            notes: Notes::default(),
            rightnow: Bodies::default(),
            queue: Bodies::default(),
            agents: Bodies::default(),
            today: Bodies::default(),
            forbidden: Mutex::default(),
        }
    }

    /// One GET. A token that is refused is renewed once.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, Trouble> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        // With a token the site is a claim inside it; naming it catches an account of another site.
        url.query_pairs_mut().extend_pairs(query).append_pair("siteId", &self.site_id.to_string());
        match &self.identity {
            Identity::Key { email } => {
                self.send(url, Auth::Basic { user: email.clone(), password: self.secret.clone() }).await
            }
            Identity::Password(grant) => {
                let token = grant.token(&self.http, &self.budget, &*self.clock, &self.secret).await?;
                let answer = self.send(url.clone(), bearer(&token)).await?;
                if answer.status != 401 {
                    return Ok(answer);
                }
                grant.refused(&token).await;
                let token = grant.token(&self.http, &self.budget, &*self.clock, &self.secret).await?;
                let answer = self.send(url, bearer(&token)).await?;
                if answer.status == 401 {
                    return Err(token_refused());
                }
                Ok(answer)
            }
        }
    }

    async fn send(&self, url: Url, auth: Auth) -> Result<HttpAnswer, Trouble> {
        self.budget.spend().await;
        self.http.send(Request::get(url).auth(auth)).await.map_err(|error| rest::no_answer(&error))
    }

    /// Asks for one page and parses it, unless it is word for word what it was. `is_data` tells data from
    /// an error that came with a good status.
    async fn page<P: for<'a> Deserialize<'a> + Shaped>(
        &self,
        (path, what): (&'static str, &str),
        query: &[(&str, &str)],
        (bodies, page): (&Bodies<P>, u32),
        is_data: impl Fn(&P) -> bool + Send,
    ) -> Result<(Arc<P>, HttpAnswer), Trouble> {
        let answer = self.get(path, query).await?;
        let body = rest::body(&answer, what, &WORDS)?;
        let parsed = bodies.read(page as usize, body, |body| {
            self.notes
                .read::<P>(path, body)
                .and_then(|parsed| if is_data(&parsed) { Ok(parsed) } else { Err(Unreadable) })
        });
        let parsed = parsed.map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        Ok((parsed, answer))
    }

    /// An endpoint of one page.
    async fn single<P: for<'a> Deserialize<'a> + Shaped>(
        &self,
        place: (&'static str, &str),
        bodies: &Bodies<P>,
        is_data: fn(&P) -> bool,
        wrap: fn(Arc<P>) -> Answer,
    ) -> Result<Good<Answer>, Trouble> {
        let (parsed, answer) = self.page(place, &[], (bodies, 1), is_data).await?;
        let news = bodies.is_news(std::slice::from_ref(&parsed));
        Ok(good(news.then(|| wrap(parsed)), None, &answer))
    }

    /// All pages of the agents. Rows that move between pages are looked for a second time.
    async fn agents(&self) -> Result<Good<Answer>, Trouble> {
        let mut read = Reading::default();
        let mut answer = self.pass(&mut read).await?;
        if read.problem.is_none() && read.missing() > 0 {
            answer = self.pass(&mut read).await?;
        }
        let partial = read.problem.clone().or_else(|| {
            (read.missing() > 0).then(|| {
                let total = read.ids.len() + read.missing();
                format!(
                    "Comm100 gave {} of {total} agents; the others keep their last state.",
                    read.ids.len()
                )
            })
        });
        let news = self.agents.is_news(&read.pages);
        let whole = partial.is_none();
        let pages = read.pages;
        Ok(good((news || !whole).then_some(Answer::Agents { pages, whole }), partial, &answer))
    }

    async fn pass(&self, read: &mut Reading) -> Result<HttpAnswer, Trouble> {
        let mut last = None;
        for want in 1..=MOST_PAGES {
            let number = want.to_string();
            let query = [("pageIndex", number.as_str()), ("pageSize", PAGE_SIZE)];
            let ask = || {
                self.page(
                    ("livechat/realTime/Agents", "the agents"),
                    &query,
                    (&self.agents, want),
                    |page: &Listed<AgentRow>| page.rows.is_some(),
                )
            };
            let mut outcome = ask().await;
            if want > 1 && matches!(outcome, Err(Trouble::Broken { .. })) {
                outcome = ask().await;
            }
            let (page, answer) = match (outcome, last.take()) {
                (Ok(found), _) => found,
                // What was read stands; what was not keeps its last state.
                (Err(Trouble::Broken { sentence, .. } | Trouble::Refused { sentence, .. }), Some(before)) => {
                    read.problem = Some(sentence);
                    return Ok(before);
                }
                (Err(trouble), _) => return Err(trouble),
            };
            if read.take(want, page) {
                return Ok(answer);
            }
            last = Some(answer);
        }
        read.problem =
            Some(format!("Comm100 names more than {MOST_PAGES} pages of agents; the rest is left out."));
        last.ok_or_else(|| Trouble::Broken { sentence: "Comm100 gave no agents.".to_owned(), soon: true })
    }

    /// A look-up that this account may not be allowed to make; `None` when it is not.
    async fn look_up<P: for<'a> Deserialize<'a> + Shaped>(
        &self,
        (path, what): (&'static str, &'static str),
        query: &[(&str, &str)],
        is_data: fn(&P) -> bool,
        missing: &mut Vec<&'static str>,
    ) -> Result<Option<(P, HttpAnswer)>, Trouble> {
        if self.forbidden().contains(path) {
            missing.push(what);
            return Ok(None);
        }
        let answer = self.get(path, query).await?;
        let parsed = rest::body(&answer, what, &WORDS).and_then(|body| {
            self.notes
                .read::<P>(path, body)
                .ok()
                .filter(is_data)
                .ok_or_else(|| rest::unreadable(&answer, what, &WORDS))
        });
        match parsed {
            Ok(parsed) => return Ok(Some((parsed, answer))),
            Err(throttled @ Trouble::Throttled { .. }) => return Err(throttled),
            Err(Trouble::Broken { soon: true, .. }) => {}
            Err(_) => {
                self.forbidden().insert(path);
            }
        }
        missing.push(what);
        Ok(None)
    }

    async fn look_ups(&self) -> Result<Good<Answer>, Trouble> {
        let mut missing = Vec::new();
        let mut look_ups = LookUps::default();
        let mut last = None;
        let mut keep = |answer: HttpAnswer| last = Some(answer);
        let departments = ("global/departments", "departments");
        if let Some((rows, answer)) = self
            .look_up(
                departments,
                &[("include", "agent")],
                |list: &Listed<Department>| list.rows.is_some(),
                &mut missing,
            )
            .await?
        {
            look_ups.departments = Some(rows);
            keep(answer);
        }
        let tells_members = |list: &Listed<Department>| {
            list.rows.iter().flatten().all(|department| department.agents.0.is_some())
        };
        if !look_ups.departments.as_ref().is_some_and(tells_members)
            && let Some(people) = self.people(&mut missing).await?
        {
            look_ups.people = Some(people);
        }
        if let Some((rows, answer)) = self
            .look_up(
                ("global/agentAwayStatuses", "away statuses"),
                &[],
                |list: &Listed<AwayStatus>| list.rows.is_some(),
                &mut missing,
            )
            .await?
        {
            look_ups.away = Some(rows);
            keep(answer);
        }
        if let Some((config, answer)) = self
            .look_up(
                ("livechat/autoDistributionConfig", "limits"),
                &[],
                |config: &Distribution| config.seen > 0,
                &mut missing,
            )
            .await?
        {
            look_ups.distribution = Some(config);
            keep(answer);
        }
        Ok(self.looked_up(Some(Answer::LookUps(look_ups)), &missing, last.as_ref()))
    }

    /// Who belongs to which department, told by the people themselves.
    async fn people(&self, missing: &mut Vec<&'static str>) -> Result<Option<Vec<Listed<Person>>>, Trouble> {
        let mut pages: Vec<Listed<Person>> = Vec::new();
        for want in 1..=MOST_PAGES {
            let number = want.to_string();
            let query = [("pageIndex", number.as_str()), ("pageSize", PAGE_SIZE)];
            let found = self
                .look_up(
                    ("global/agents", "members"),
                    &query,
                    |list: &Listed<Person>| list.rows.is_some(),
                    missing,
                )
                .await?;
            let Some((page, _)) = found else { return Ok(None) };
            let over = page.pages.is_none_or(|pages| want >= pages)
                || page.rows.as_ref().is_none_or(Vec::is_empty)
                || pages.last().is_some_and(|before| before.rows == page.rows);
            pages.push(page);
            if over {
                break;
            }
        }
        Ok(Some(pages))
    }

    async fn statuses(&self) -> Result<Good<Answer>, Trouble> {
        let mut missing = Vec::new();
        let place = ("livechat/agents", "status names");
        let found =
            self.look_up(place, &[], |list: &Listed<NamedStatus>| list.rows.is_some(), &mut missing).await?;
        let Some((names, answer)) = found else { return Ok(self.looked_up(None, &missing, None)) };
        Ok(good(Some(Answer::Statuses(Arc::new(names))), None, &answer))
    }

    fn looked_up(&self, answer: Option<Answer>, missing: &[&str], http: Option<&HttpAnswer>) -> Good<Answer> {
        let partial = (!missing.is_empty()).then(|| {
            format!(
                "Comm100 does not let this account look up {}: what depends on it is shown as unknown; ask for the permissions to manage departments, away statuses and settings.",
                missing.join(", ")
            )
        });
        match http {
            Some(http) => good(answer, partial, http),
            None => {
                let now = self.clock.now();
                Good { answer, partial, sent: now, at: now, date: None }
            }
        }
    }

    fn forbidden(&self) -> std::sync::MutexGuard<'_, BTreeSet<&'static str>> {
        self.forbidden.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn good(answer: Option<Answer>, partial: Option<String>, http: &HttpAnswer) -> Good<Answer> {
    Good { answer, partial, sent: http.sent_at, at: http.received_at, date: http.date() }
}

/// Pages of agents as far as they were read.
#[derive(Default)]
struct Reading {
    pages: Vec<Arc<Listed<AgentRow>>>,
    ids: BTreeSet<String>,
    total: u32,
    problem: Option<String>,
}

impl Reading {
    fn missing(&self) -> usize {
        (self.total as usize).saturating_sub(self.ids.len())
    }

    /// Takes a page in; says whether it was the last.
    fn take(&mut self, want: u32, page: Arc<Listed<AgentRow>>) -> bool {
        let got = page.page.unwrap_or(want);
        let first = self.pages.first().filter(|_| want > 1);
        let again =
            first.is_some_and(|first| first.rows == page.rows && page.rows.iter().flatten().count() > 0);
        if want > 1 && (got != want || again) {
            // The server does not care which page is asked for.
            if self.total == 0 || self.missing() > 0 {
                let all = if self.total == 0 { String::new() } else { format!(" of {}", self.total) };
                self.problem = Some(format!(
                    "Comm100 gave the same {}{all} agents on every page; the others keep their last state.",
                    self.ids.len(),
                ));
            }
            return true;
        }
        if let Some(total) = page.total {
            self.total = total;
        }
        let before = self.ids.len();
        let rows = page.rows.iter().flatten();
        self.ids.extend(rows.filter_map(|row| row.agent.0.clone()));
        let last = match (page.pages, page.total) {
            (Some(pages), _) => got >= pages,
            // Where only the total is told it is known, too, whether this was all.
            (None, Some(_)) => self.missing() == 0 || self.ids.len() == before,
            (None, None) => true,
        };
        let over = last || page.rows.as_ref().is_none_or(Vec::is_empty);
        // A second pass finds nothing new on most pages, a first one only when it goes in circles.
        let circles = want > 1 && self.ids.len() == before && self.pages.iter().any(|p| p.rows == page.rows);
        if !self.pages.iter().any(|known| Arc::ptr_eq(known, &page)) {
            self.pages.push(page);
        }
        over || (circles && self.missing() == 0)
    }
}

#[async_trait]
impl Ask for Comm100Ask {
    type Answer = Answer;

    async fn ask(&self, endpoint: usize) -> Result<Good<Answer>, Trouble> {
        match endpoint {
            RIGHTNOW => {
                let place = ("livechat/realTime/RightNow", "the figures of this moment");
                self.single(place, &self.rightnow, |now| now.seen > 0, Answer::RightNow).await
            }
            QUEUE => {
                let place = ("livechat/realTime/Queue", "the queues");
                self.single(place, &self.queue, |list| list.rows.is_some(), Answer::Queue).await
            }
            AGENTS => self.agents().await,
            TODAY => {
                let place = ("livechat/realTime/Today", "the figures of today");
                self.single(place, &self.today, |today| today.seen > 0, Answer::Today).await
            }
            LOOKUPS => self.look_ups().await,
            _ => self.statuses().await,
        }
    }
}
