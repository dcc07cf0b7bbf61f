//! Signing in: the account's hosts, the login with its bearer, the agent session. One of each, however
//! many ask at the same time, and one new login after an expiry.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use link::{Answer, Auth, Http, Request, Secret, origin::is_allowed, poll::Trouble};
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};
use url::Url;

use super::{
    WORDS,
    address::{cookies, stays, with},
    config::Config,
    wire::{AvailabilityAnswer, BaseUri, BaseUris, LoginAnswer, SessionCreated},
};
use crate::{loose, rest};

/// A login is renewed this often; the vendor allows 3 to 5 minutes.
const REFRESH: Duration = Duration::from_secs(240);
/// A second refusal or loss within this time means that somebody else uses the same user.
const TWICE: Duration = Duration::from_secs(60);
/// A session that somebody else ended twice is not opened again before this.
const LOST_PAUSE: Duration = Duration::from_secs(300);
/// One that could not be set Away is not opened again before this: each try is Online for a moment.
const ONLINE_PAUSE: Duration = Duration::from_secs(3600);
/// Requests under way at once.
const AT_ONCE: usize = 2;

/// What a login gave.
pub struct Login {
    turn: u64,
    bearer: Secret,
    csrf: Secret,
    /// `Session_id=…`, as it goes back.
    cookie: Option<Secret>,
    /// Host of the login and of the agent session.
    vep: Url,
    /// Host of the operational figures.
    pub operations: Option<Url>,
    /// Host of the configuration.
    pub configuration: Option<Url>,
    /// Our own user.
    pub user: Option<String>,
    /// The operational host has taken this bearer.
    worked: AtomicBool,
}

/// An agent session: where its resources are, and the cookies that go there and nowhere else.
pub struct AgentSession {
    turn: u64,
    base: Url,
    cookie: Option<Secret>,
}

/// Who holds what.
#[derive(Default)]
struct State {
    turn: u64,
    login: Option<Arc<Login>>,
    session: Option<Arc<AgentSession>>,
    refresh_at: Option<Instant>,
    refresh_every: Duration,
    /// The last login that an expiry made necessary.
    again_at: Option<Instant>,
    /// When a session was last found gone.
    session_lost_at: Option<Instant>,
    /// Until when no session is opened, and why.
    no_session: Option<(Instant, String)>,
    /// Whoever waited while this went wrong hears the same.
    failed: Option<(Instant, Trouble)>,
}

/// One account as this source uses it.
pub struct Account {
    http: Http,
    config: Config,
    password: Secret,
    permits: Semaphore,
    state: Mutex<State>,
}

fn link_trouble(sentence: &str) -> Trouble {
    Trouble::Link(sentence.to_owned())
}

impl Account {
    pub fn new(http: Http, config: Config, password: Secret) -> Self {
        Self { http, config, password, permits: Semaphore::new(AT_ONCE), state: Mutex::default() }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Puts a request on the wire; never more than two at once.
    async fn send(&self, request: Request) -> Result<Answer, Trouble> {
        let _permit = self.permits.acquire().await.map_err(|_| link_trouble("Floorwalker is ending."))?;
        self.http.send(request).await.map_err(|error| rest::no_answer(&error))
    }

    /// A GET or an overridden POST with the bearer. A bearer that has expired is replaced once; the other
    /// callers wait for that one login.
    pub async fn operations(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        self.with_login(|login| {
            let base = login.operations.as_ref().ok_or_else(|| Trouble::Broken {
                sentence: "LivePerson names no host for operational figures (service leDataReporting): ask LivePerson whether the account has them.".to_owned(),
                soon: false,
            })?;
            Ok(with(base, path, query))
        })
        .await
    }

    /// The same for look-ups.
    pub async fn configuration(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        self.with_login(|login| {
            let base = login.configuration.as_ref().ok_or_else(|| Trouble::Broken {
                sentence: "LivePerson names no host for the account's configuration.".to_owned(),
                soon: false,
            })?;
            Ok(with(base, path, query))
        })
        .await
    }

    async fn with_login(&self, make: impl Fn(&Login) -> Result<Url, Trouble>) -> Result<Answer, Trouble> {
        let login = self.login().await?;
        let answer = self.send(bearing(&login, Request::get(make(&login)?))).await?;
        if answer.status != 401 {
            login.worked.fetch_or(answer.is_success(), Ordering::SeqCst);
            return Ok(answer);
        }
        if !login.worked.load(Ordering::SeqCst) {
            // Never taken since the sign-in: it is not the bearer that has expired, it is this host that
            // wants another proof. Signing in again would only end the agent session.
            return Err(Trouble::Refused {
                sentence: "LivePerson does not give this user the operational figures (401): ask the LivePerson administrator whether the user may read them, and from this computer's address.".to_owned(),
                credentials: false,
            });
        }
        self.expired(login.turn).await?;
        let login = self.login().await?;
        let answer = self.send(bearing(&login, Request::get(make(&login)?))).await?;
        login.worked.fetch_or(answer.is_success(), Ordering::SeqCst);
        Ok(answer)
    }

    /// A GET of a resource of the agent session. A session that is gone is opened anew once.
    pub async fn session_get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        for last in [false, true] {
            let (login, session) = self.session().await?;
            let answer = self.send(in_session(&login, &session, path, query)).await?;
            let whole_session = path.len() == 1 && matches!(path[0], "availableAgents" | "chatSessions");
            match answer.status {
                401 if !last => self.expired(login.turn).await?,
                404 | 410 if whole_session && !last => self.session_gone(session.turn).await?,
                _ => return Ok(answer),
            }
        }
        Err(link_trouble("LivePerson did not keep the agent session."))
    }

    /// The vendor refused a bearer. Twice within a minute: somebody else signs in with the same user, and
    /// fighting over it would throw out a person.
    async fn expired(&self, turn: u64) -> Result<(), Trouble> {
        let mut state = self.state.lock().await;
        if state.login.as_ref().is_none_or(|login| login.turn != turn) {
            return Ok(());
        }
        let now = Instant::now();
        if state.again_at.is_some_and(|at| now.duration_since(at) < TWICE) {
            return Err(Trouble::Refused {
                sentence: "LivePerson refused a sign-in that is less than a minute old (401): somebody else may be signed in as this user, or it may not see this; give Floorwalker a user of its own.".to_owned(),
                credentials: true,
            });
        }
        state.again_at = Some(now);
        state.login = None;
        state.session = None;
        Ok(())
    }

    async fn session_gone(&self, turn: u64) -> Result<(), Trouble> {
        let mut state = self.state.lock().await;
        if state.session.as_ref().is_none_or(|session| session.turn != turn) {
            return Ok(());
        }
        state.session = None;
        let now = Instant::now();
        if state.session_lost_at.replace(now).is_some_and(|at| now.duration_since(at) < TWICE) {
            let sentence = "The agent session at LivePerson was ended twice within a minute: somebody else is signed in as this user; give Floorwalker a user of its own, it is tried again in five minutes.".to_owned();
            state.no_session = Some((now + LOST_PAUSE, sentence));
        }
        Ok(())
    }

    /// The login, made or refreshed if need be.
    async fn login(&self) -> Result<Arc<Login>, Trouble> {
        let arrived = Instant::now();
        let mut state = self.state.lock().await;
        self.ready(&mut state, arrived).await
    }

    async fn ready(&self, state: &mut State, arrived: Instant) -> Result<Arc<Login>, Trouble> {
        if let Some(login) = state.login.clone() {
            let now = Instant::now();
            if state.refresh_at.is_none_or(|at| now < at) {
                return Ok(login);
            }
            match self.post_login(&login, "refresh").await {
                Ok(answer) if answer.status == 401 => {
                    state.again_at = Some(now);
                    state.login = None;
                    state.session = None;
                }
                // A refresh that fails otherwise is tried again; the login itself lives for hours.
                outcome => {
                    let good = outcome.is_ok_and(|answer| answer.is_success());
                    let next = if good {
                        state.refresh_every
                    } else {
                        state.refresh_every.min(Duration::from_secs(30))
                    };
                    state.refresh_at = Some(Instant::now() + next);
                    return Ok(login);
                }
            }
        }
        if let Some((at, trouble)) = &state.failed
            && *at >= arrived
        {
            return Err(trouble.clone());
        }
        match self.sign_in(state.turn + 1).await {
            Ok((login, lives)) => {
                state.turn = login.turn;
                state.refresh_every =
                    lives.map_or(REFRESH, |l| (l / 2).min(REFRESH)).max(Duration::from_secs(1));
                state.refresh_at = Some(Instant::now() + state.refresh_every);
                let login = Arc::new(login);
                state.login = Some(login.clone());
                state.session = None;
                state.failed = None;
                Ok(login)
            }
            Err(trouble) => {
                state.failed = Some((Instant::now(), trouble.clone()));
                Err(trouble)
            }
        }
    }

    async fn sign_in(&self, turn: u64) -> Result<(Login, Option<Duration>), Trouble> {
        let vep = self.look_up("agentVep").await?;
        let url = with(&vep, &["api", "account", &self.config.account, "login"], &[("v", "1.3")]);
        let body = serde_json::json!({"username": self.config.username, "password": self.password.expose()});
        let answer = self
            .send(Request::post(url).header("x-requested-with", "XMLHttpRequest").json(body.to_string()))
            .await?;
        match answer.status {
            401 => {
                return Err(Trouble::SignIn(
                    "LivePerson refused the sign-in: check `account`, `username` and the password, and whether the user must sign in through a company portal. If all are right, the account may only be reached from certain addresses: ask the LivePerson administrator.".to_owned(),
                ));
            }
            403 => {
                return Err(Trouble::Refused {
                    sentence: "LivePerson refused the sign-in (403): check whether this computer's address is allowed by the account's access restrictions.".to_owned(),
                    credentials: true,
                });
            }
            451 => {
                return Err(Trouble::SignIn(
                    "LivePerson has blocked this account or user (451): contact LivePerson's support."
                        .to_owned(),
                ));
            }
            429 => {
                let after = answer.retry_after().unwrap_or_default().max(Duration::from_secs(5));
                return Err(Trouble::Throttled {
                    sentence:
                        "LivePerson asks us to sign in more slowly (429); it is tried again after a pause."
                            .to_owned(),
                    after: Some(after),
                });
            }
            status @ 500..=599 => {
                return Err(Trouble::Link(format!(
                    "LivePerson could not sign us in ({status}); it is tried again."
                )));
            }
            _ => {}
        }
        let body = rest::body(&answer, "the sign-in", &WORDS)?;
        let said: LoginAnswer =
            loose::read(body).map_err(|_| rest::unreadable(&answer, "the sign-in", &WORDS))?;
        let token =
            |text: Option<String>| text.filter(|t| t.bytes().all(|b| b.is_ascii_graphic())).map(Secret::new);
        let (Some(bearer), Some(csrf)) = (token(said.bearer.0), token(said.csrf.0)) else {
            return Err(rest::unreadable(&answer, "the sign-in", &WORDS));
        };
        let named = |service: &str| {
            let found = said.domains.all.0.iter().find(|b| b.service.0.as_deref() == Some(service))?;
            self.host(found.host.0.as_deref()?)
        };
        let operations = match named("leDataReporting") {
            Some(url) => Some(url),
            None => self.look_up("leDataReporting").await.ok(),
        };
        let configuration = match named("accountConfigReadOnly") {
            Some(url) => Some(url),
            None => self.look_up("accountConfigReadOnly").await.ok(),
        };
        let cookie =
            cookies(&answer).or_else(|| said.session.0.map(|id| Secret::new(format!("Session_id={id}"))));
        let lives =
            said.lives_ms.0.filter(|ms| *ms > 0.0 && *ms < 1e12).map(|ms| Duration::from_millis(ms as u64));
        let user = said.config.user.0;
        tracing::info!(turn, "signed in at LivePerson");
        Ok((
            Login {
                turn,
                bearer,
                csrf,
                cookie,
                vep,
                operations,
                configuration,
                user,
                worked: AtomicBool::new(false),
            },
            lives,
        ))
    }

    /// Where a service of the account is. Hosts take the scheme of the configured address.
    async fn look_up(&self, service: &str) -> Result<Url, Trouble> {
        let account = &self.config.account;
        let file = "baseURI.json";
        let unknown = || {
            Trouble::Misconfigured(format!(
                "LivePerson does not know the account {account}, or it has no service {service}: check `account` and `url`."
            ))
        };
        let mut refused = None;
        // The second is where the vendor's older clients ask.
        for path in [
            &["api", "account", account, "service", service, file] as &[&str],
            &["csdr", "account", account, "service", service, file],
            &["api", "account", account, "service", file],
        ] {
            let answer =
                self.send(Request::get(with(&self.config.lookup, path, &[("version", "1.0")]))).await?;
            if matches!(answer.status, 400 | 401 | 404) {
                refused = Some(unknown());
                if answer.status == 404 { continue } else { break }
            }
            let body = rest::body(&answer, "the hosts of the account", &WORDS)?;
            let one = loose::read::<BaseUri>(body).ok().and_then(|b| b.host.0);
            let of_all = || {
                let all = loose::read::<BaseUris>(body).ok()?.all.0;
                all.into_iter().find(|b| b.service.0.as_deref() == Some(service))?.host.0
            };
            let host = one.or_else(of_all).and_then(|host| self.host(&host));
            return host.ok_or_else(|| rest::unreadable(&answer, "the hosts of the account", &WORDS));
        }
        Err(refused.unwrap_or_else(unknown))
    }

    fn host(&self, text: &str) -> Option<Url> {
        let bare = text.trim().trim_end_matches('/');
        let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
        let url = Url::parse(&format!("{}://{bare}/", self.config.lookup.scheme())).ok()?;
        (is_allowed(&url) && url.username().is_empty() && url.path() == "/").then_some(url)
    }

    /// The agent session, opened and set Away if need be.
    async fn session(&self) -> Result<(Arc<Login>, Arc<AgentSession>), Trouble> {
        let arrived = Instant::now();
        let mut state = self.state.lock().await;
        let login = self.ready(&mut state, arrived).await?;
        if let Some(session) = &state.session {
            return Ok((login, session.clone()));
        }
        let stop = |sentence: &String| Err(Trouble::Broken { sentence: sentence.clone(), soon: false });
        if let Some((until, sentence)) = &state.no_session
            && Instant::now() < *until
        {
            return stop(sentence);
        }
        let session = Arc::new(self.open_session(&login, state.turn + 1).await?);
        state.turn = session.turn;
        if let Err(trouble) = self.set_away(&login, &session).await {
            // Nobody may be sent to a supervisor who is not there: rather no session at all.
            let ended = self.post_login(&login, "logout").await.is_ok_and(|answer| answer.is_success());
            tracing::warn!(ended, "the agent session could not be set to Away and was given up");
            state.login = None;
            state.session = None;
            let sentence = "LivePerson did not let Floorwalker set its user to Away, so the agent session was ended before a chat could be sent to it: agents and chats are not shown.".to_owned();
            if !matches!(trouble, Trouble::Link(_)) {
                state.no_session = Some((Instant::now() + ONLINE_PAUSE, sentence.clone()));
            }
            return stop(&sentence);
        }
        state.session = Some(session.clone());
        Ok((login, session))
    }

    async fn open_session(&self, login: &Login, turn: u64) -> Result<AgentSession, Trouble> {
        let url = with(&login.vep, &["api", "account", &self.config.account, "agentSession"], COMMON);
        let answer = self.send(bearing(login, Request::post(url)).json(r#"{"loginData":""}"#)).await?;
        let words = "an agent session";
        if answer.status == 403 {
            return Err(Trouble::Refused {
                sentence: "LivePerson does not let this user open an agent session (403): ask for the permission, or set `agent_session = false` to see skills only.".to_owned(),
                credentials: false,
            });
        }
        let body = rest::body(&answer, words, &WORDS)?;
        let said: SessionCreated = loose::read(body).map_err(|_| rest::unreadable(&answer, words, &WORDS))?;
        let href = said.location.link.0.iter().find_map(|link| link.href.0.clone());
        let href = href.or_else(|| answer.header("location").map(str::to_owned));
        let href = href.and_then(|href| answer.url.join(&href).ok());
        let id =
            href.as_ref().and_then(|url| url.path_segments()?.rfind(|s| !s.is_empty()).map(str::to_owned));
        let Some(id) =
            id.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        else {
            return Err(rest::unreadable(&answer, words, &WORDS));
        };
        // The address is the server's data: it is used where it stays with the vendor, else made anew.
        let host = href.filter(|url| stays(url, &login.vep)).map_or_else(
            || login.vep.clone(),
            |mut url| {
                url.set_path("/");
                url.set_query(None);
                url.set_fragment(None);
                url
            },
        );
        let base = with(&host, &["api", "account", &self.config.account, "agentSession", &id], &[]);
        Ok(AgentSession { turn, base, cookie: cookies(&answer) })
    }

    /// Sets our user Away and looks whether it is so.
    async fn set_away(&self, login: &Login, session: &AgentSession) -> Result<(), Trouble> {
        let mut trouble = link_trouble("LivePerson did not answer.");
        for _ in 0..2 {
            let set = in_session_with(login, session, Request::post, &["availability"], &[])
                .header("x-http-method-override", "PUT")
                .json(r#"{"availability":{"chat":"Away"}}"#);
            match self.send(set).await {
                Ok(answer) if answer.is_success() => {}
                Ok(answer) => {
                    trouble = Trouble::Broken { sentence: format!("({})", answer.status), soon: false };
                    continue;
                }
                Err(error) => {
                    trouble = error;
                    continue;
                }
            }
            let answer = self.send(in_session(login, session, &["availability"], &[])).await?;
            let state =
                loose::read::<AvailabilityAnswer>(&answer.body).ok().and_then(|a| a.availability.chat.0);
            match state.as_deref() {
                Some(word) if word.eq_ignore_ascii_case("online") => {
                    trouble = Trouble::Broken { sentence: "still Online".to_owned(), soon: false };
                }
                // Set and not contradicted.
                _ => return Ok(()),
            }
        }
        Err(trouble)
    }

    /// Our user was found to be taking chats: it is sent Away again.
    pub async fn away_again(&self) {
        let Ok((login, session)) = self.session().await else { return };
        if self.set_away(&login, &session).await.is_err() {
            tracing::warn!("LivePerson still shows our user as Online");
        }
    }

    /// Our own user's id, once signed in.
    pub async fn own_user(&self) -> Option<String> {
        self.state.lock().await.login.as_ref()?.user.clone()
    }

    async fn post_login(&self, login: &Login, what: &str) -> Result<Answer, Trouble> {
        let url = with(&login.vep, &["api", "account", &self.config.account, what], &[("v", "1.3")]);
        let body = serde_json::json!({"csrf": login.csrf.expose()}).to_string();
        let mut request = bearing(login, Request::post(url)).json(body);
        if let Some(cookie) = &login.cookie {
            request = request.secret_header("cookie", cookie);
        }
        self.send(request).await
    }

    /// Leaves politely. While own chats are open, or may be, nothing is ended: their customers would be
    /// sent back to the queue.
    pub async fn leave(&self, chats_are_none: bool) {
        let mut state = self.state.lock().await;
        let Some(login) = state.login.take() else { return };
        if state.session.take().is_some() && !chats_are_none {
            tracing::info!("left LivePerson without signing out: there may be open chats");
            return;
        }
        let leaving = self.post_login(&login, "logout");
        let ended = tokio::time::timeout(Duration::from_secs(3), leaving).await;
        tracing::debug!(ended = ended.is_ok_and(|a| a.is_ok()), "signed out at LivePerson");
    }
}

const COMMON: &[(&str, &str)] = &[("v", "1"), ("NC", "true")];

fn bearing(login: &Login, request: Request) -> Request {
    request
        .auth(Auth::Token { scheme: "Bearer", token: login.bearer.clone() })
        .header("x-requested-with", "XMLHttpRequest")
}

fn in_session(login: &Login, session: &AgentSession, path: &[&str], query: &[(&str, &str)]) -> Request {
    in_session_with(login, session, Request::get, path, query)
}

fn in_session_with(
    login: &Login,
    session: &AgentSession,
    method: fn(Url) -> Request,
    path: &[&str],
    query: &[(&str, &str)],
) -> Request {
    let query: Vec<(&str, &str)> = query.iter().chain(COMMON).copied().collect();
    let request = bearing(login, method(with(&session.base, path, &query)));
    match &session.cookie {
        Some(cookie) => request.secret_header("cookie", cookie),
        None => request,
    }
}
