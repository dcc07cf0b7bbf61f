//! Signing in: one login with its bearer, however many ask at the same time, renewed in time, and made
//! anew once after an expiry.

use std::{
    sync::{
        Arc, Mutex as Quick, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use link::{Answer, Auth, Http, Request, Secret, poll::Trouble};
use model::Timestamp;
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};
use url::Url;

use super::{
    WORDS,
    address::{Jar, with},
    config::Config,
    hosts::{Domain, Hosts},
    session::AgentSession,
    wire::LoginAnswer,
};
use crate::{loose, rest};

/// A login is renewed this often; the vendor allows 3 to 5 minutes.
const REFRESH: Duration = Duration::from_secs(240);
/// A refresh that failed is tried again after this.
const REFRESH_AGAIN: Duration = Duration::from_secs(30);
/// A second refusal within this time means that somebody else uses the same user.
pub(super) const TWICE: Duration = Duration::from_secs(60);
/// Requests under way at once.
const AT_ONCE: usize = 2;
/// A login that was slowed down is not tried again before this.
const SLOW_LOGIN: Duration = Duration::from_secs(5);
/// So many sign-ins in a row may be refused before it is left to a person: accounts lock.
const TRIES: u32 = 3;
/// A server's time further off than this is a leftover, not a clock, seconds.
const NO_CLOCK_S: f64 = 86_400.0;

/// What a login gave.
pub struct Login {
    /// Which login this is; never the same twice.
    pub(super) turn: u64,
    bearer: Secret,
    csrf: Option<Secret>,
    /// `Session_id` and what else belongs to the login.
    jar: Jar,
    /// Host of the login and of the agent session.
    pub(super) vep: Url,
    /// Our own user.
    user: Option<String>,
    /// Which hosts beside its own have taken this bearer.
    worked: [AtomicBool; 2],
    /// What was last read with this bearer at one of those hosts.
    read_last: Quick<Option<Url>>,
}

impl Login {
    fn worked(&self, service: Domain) -> &AtomicBool {
        &self.worked[usize::from(service == Domain::Configuration)]
    }
}

/// Who holds what.
#[derive(Default)]
pub(super) struct State {
    pub turn: u64,
    pub login: Option<Arc<Login>>,
    pub session: Option<Arc<AgentSession>>,
    refresh_at: Option<Instant>,
    refresh_every: Duration,
    /// The last login that an expiry made necessary.
    again_at: Option<Instant>,
    /// When a session was last found gone.
    pub session_lost_at: Option<Instant>,
    /// Until when no session is opened, and why.
    pub no_session: Option<(Instant, String)>,
    /// Sessions in a row that could not be set Away for a passing reason.
    pub away_failures: usize,
    /// A session was opened at some time, so chats may hang on this user.
    pub opened: bool,
    failed: Option<Failed>,
    /// Sign-ins in a row that were refused for who we are.
    refusals: u32,
}

/// A sign-in that went wrong. Whoever waited for it hears the same, and so does whoever comes too soon.
struct Failed {
    at: Instant,
    until: Instant,
    times: usize,
    trouble: Trouble,
}

/// Why a sign-in went wrong, and whether it was the vendor who said so.
struct Failure {
    trouble: Trouble,
    answered: bool,
}

impl Failure {
    /// The vendor answered, but not with a sign-in: the whole source waits for the next try.
    fn answered(trouble: Trouble) -> Self {
        let trouble = match trouble {
            Trouble::Broken { sentence, .. } => Trouble::Link(sentence),
            trouble => trouble,
        };
        Self { trouble, answered: true }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, answered: false }
    }
}

/// How far the vendor's own clock is from the clocks beside it, seconds.
#[derive(Clone, Copy)]
struct Told {
    from_date: Option<f64>,
    from_ours: f64,
}

/// One account as this source uses it.
pub struct Account {
    http: Http,
    pub(super) config: Config,
    password: Secret,
    permits: Semaphore,
    pub(super) state: Mutex<State>,
    pub(super) hosts: Quick<Hosts>,
    told: Quick<Option<Told>>,
    /// How often in a row renewing a sign-in was refused.
    not_renewed: AtomicU32,
    /// When the own chats were last asked for.
    pub(super) list_asked: Mutex<Option<Instant>>,
    /// When the list of own chats last said that there are none.
    pub(super) none_told: Quick<Option<Instant>>,
}

pub(super) fn link_trouble(sentence: &str) -> Trouble {
    Trouble::Link(sentence.to_owned())
}

/// What lies behind these locks is whole whoever panicked.
pub(super) fn quick<T>(lock: &Quick<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// Nobody has signed in yet.
    pub fn new(http: Http, config: Config, password: Secret) -> Self {
        Self {
            http,
            config,
            password,
            permits: Semaphore::new(AT_ONCE),
            state: Mutex::default(),
            hosts: Quick::default(),
            told: Quick::default(),
            not_renewed: AtomicU32::new(0),
            list_asked: Mutex::default(),
            none_told: Quick::default(),
        }
    }

    /// The source's settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Puts a request on the wire; never more than two at once.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, Trouble> {
        let _permit = self.permits.acquire().await.map_err(|_| link_trouble("Floorwalker is ending."))?;
        self.http.send(request).await.map_err(|error| rest::no_answer(&error))
    }

    /// A GET with the bearer at one of the account's other hosts. A bearer that has expired is replaced
    /// once; the other callers wait for that one login. Only a bearer that still stands can be refused.
    pub async fn get(
        &self,
        service: Domain,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Trouble> {
        for again in [false, true, true] {
            let login = self.login().await?;
            let mut answer = self.ask_host(service, &login, path, query).await;
            let elsewhere = match &answer {
                Err(trouble) => matches!(trouble, Trouble::Link(_)),
                Ok(answer) => matches!(answer.status, 404 | 410),
            };
            if elsewhere && self.has_moved(service).await {
                answer = self.ask_host(service, &login, path, query).await;
            }
            let answer = answer?;
            if answer.status != 401 {
                if answer.is_success() {
                    login.worked(service).store(true, Ordering::SeqCst);
                    *quick(&login.read_last) = Some(answer.url.clone());
                }
                return Ok(answer);
            }
            if self.stands(service, &login, again).await? {
                // It is not the bearer that has expired, it is this host that wants another proof. Signing
                // in again would only end the agent session.
                return Err(service.refused());
            }
        }
        Err(link_trouble("LivePerson did not keep the sign-in."))
    }

    /// Whether a bearer that one host has refused is good all the same. One that is not is given up, so
    /// that the next caller signs in; one that was replaced in the meantime says nothing of the new one.
    /// `fresh`: the bearer came after an earlier refusal.
    async fn stands(&self, service: Domain, login: &Login, fresh: bool) -> Result<bool, Trouble> {
        let mut state = self.state.lock().await;
        if state.login.as_ref().is_none_or(|now| now.turn != login.turn) {
            return Ok(false);
        }
        if fresh {
            return Ok(true);
        }
        // A host that took it until now is as good as a word from the vendor. Else something is asked that
        // the bearer has opened before; without that the login's own refresh tells.
        let expired = login.worked(service).load(Ordering::SeqCst) || {
            let read_last = quick(&login.read_last).clone();
            let answer = match (&state.session, read_last) {
                (Some(session), _) => self.read(login, session, &["availability"], &[]).await?,
                (None, Some(url)) => self.send(bearing(login, Request::get(url))).await?,
                (None, None) => self.post_login(login, "refresh").await?,
            };
            answer.status == 401
        };
        if expired {
            renew(&mut state)?;
        }
        Ok(!expired)
    }

    async fn ask_host(
        &self,
        service: Domain,
        login: &Login,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Trouble> {
        let host = self.host_of(service).await.map_err(|trouble| service.missing(trouble))?;
        self.send(bearing(login, Request::get(with(&host, path, query)))).await
    }

    /// Whether a login is no longer the one in use.
    pub(super) async fn is_replaced(&self, turn: u64) -> bool {
        self.state.lock().await.login.as_ref().is_some_and(|login| login.turn != turn)
    }

    /// The vendor refused a bearer.
    pub(super) async fn expired(&self, turn: u64) -> Result<(), Trouble> {
        let mut state = self.state.lock().await;
        if state.login.as_ref().is_none_or(|login| login.turn != turn) {
            return Ok(());
        }
        renew(&mut state)
    }

    /// The login, made or refreshed if need be.
    async fn login(&self) -> Result<Arc<Login>, Trouble> {
        let arrived = Instant::now();
        let mut state = self.state.lock().await;
        self.ready(&mut state, arrived).await
    }

    /// The same for who holds the lock already. `arrived`: since when it was waited for.
    pub(super) async fn ready(&self, state: &mut State, arrived: Instant) -> Result<Arc<Login>, Trouble> {
        if let Some(login) = state.login.clone() {
            let now = Instant::now();
            if state.refresh_at.is_none_or(|at| now < at) {
                return Ok(login);
            }
            match self.post_login(&login, "refresh").await {
                // Once it may be this login's own fault. A second time in a row it is renewing as such, and a
                // new login each time would end the agent session again and again.
                Ok(answer) if answer.status == 401 && self.not_renewed.load(Ordering::SeqCst) == 0 => {
                    self.not_renewed.store(1, Ordering::SeqCst);
                    state.again_at = Some(now);
                    state.login = None;
                    state.session = None;
                }
                Ok(answer) if answer.status == 401 => {
                    self.not_renewed.store(2, Ordering::SeqCst);
                    state.refresh_at = Some(Instant::now() + state.refresh_every);
                    return Ok(login);
                }
                // A refresh that fails otherwise is tried again; the login itself lives for hours.
                outcome => {
                    let good = outcome.is_ok_and(|answer| answer.is_success());
                    if good {
                        self.not_renewed.store(0, Ordering::SeqCst);
                    }
                    let next =
                        if good { state.refresh_every } else { state.refresh_every.min(REFRESH_AGAIN) };
                    state.refresh_at = Some(Instant::now() + next);
                    return Ok(login);
                }
            }
        }
        if let Some(failed) = &state.failed
            && (failed.at >= arrived || Instant::now() < failed.until)
        {
            return Err(failed.trouble.clone());
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
                (state.failed, state.refusals) = (None, 0);
                Ok(login)
            }
            Err(Failure { trouble, answered }) => {
                let times = state.failed.as_ref().map_or(0, |failed| failed.times);
                let trouble = match trouble {
                    Trouble::SignInLater(sentence) => {
                        state.refusals += 1;
                        later_or_never(sentence, state.refusals)
                    }
                    trouble => trouble,
                };
                let pause = match &trouble {
                    Trouble::Throttled { after, .. } => after.unwrap_or(SLOW_LOGIN),
                    Trouble::SignInLater(_) | Trouble::SignIn(_) => self.config.refused,
                    // The vendor's own policy; a line that is down is tried as the contract says.
                    _ if answered => self.pause(times),
                    _ => Duration::ZERO,
                };
                let at = Instant::now();
                let times = times + usize::from(answered);
                state.failed = Some(Failed { at, until: at + pause, times, trouble: trouble.clone() });
                Err(trouble)
            }
        }
    }

    async fn sign_in(&self, turn: u64) -> Result<(Login, Option<Duration>), Failure> {
        let what = "the sign-in";
        let vep = self.host_of(Domain::Vep).await.map_err(|trouble| match trouble {
            Trouble::Broken { .. } => Failure::answered(trouble),
            trouble => trouble.into(),
        })?;
        let url = with(&vep, &["api", "account", &self.config.account, "login"], &[("v", "1.3")]);
        let body = serde_json::json!({"username": self.config.username, "password": self.password.expose()});
        let asked = Request::post(url).header("x-requested-with", "XMLHttpRequest").json(body.to_string());
        let answer = match self.send(asked).await {
            Err(Trouble::Link(sentence)) => {
                // Perhaps the host has moved since it was looked up; the next try goes there.
                self.has_moved(Domain::Vep).await;
                return Err(Trouble::Link(sentence).into());
            }
            answer => answer?,
        };
        if matches!(answer.status, 404 | 410) {
            // The same where something else is at the old place.
            self.has_moved(Domain::Vep).await;
        }
        if let Some(trouble) = refusal(&answer).or_else(|| rest::redirected(&answer)) {
            return Err(Failure::answered(trouble));
        }
        let unreadable = || Failure::answered(rest::unreadable(&answer, what, &WORDS));
        let body = rest::body(&answer, what, &WORDS).map_err(Failure::answered)?;
        let said: LoginAnswer = loose::read(body).map_err(|_| unreadable())?;
        let token =
            |text: Option<String>| text.filter(|t| t.bytes().all(|b| b.is_ascii_graphic())).map(Secret::new);
        let Some(bearer) = token(said.bearer.0) else { return Err(unreadable()) };
        self.learn_hosts(&said.domains);
        self.learn_clock(said.config.now_ms.0, &answer);
        let jar = Jar::default();
        jar.keep(&answer);
        if jar.is_empty()
            && let Some(id) = said.session.0
        {
            jar.set(&format!("Session_id={id}"));
        }
        let lives =
            said.lives_ms.0.filter(|ms| *ms > 0.0 && *ms < 1e12).map(|ms| Duration::from_millis(ms as u64));
        let (csrf, user) = (token(said.csrf.0), said.config.user.0);
        tracing::info!(turn, "signed in at LivePerson");
        Ok((
            Login {
                turn,
                bearer,
                csrf,
                jar,
                vep,
                user,
                worked: Default::default(),
                read_last: Default::default(),
            },
            lives,
        ))
    }

    /// The vendor's own policy for the next try after so many of its faults.
    fn pause(&self, times: usize) -> Duration {
        let again = self.config.again;
        Duration::from_secs(again.get(times).or(again.last()).copied().unwrap_or_default())
    }

    /// What is to be said of a sign-in that is good and may not be renewed.
    pub fn renewal(&self) -> Option<String> {
        (self.not_renewed.load(Ordering::SeqCst) > 1).then(|| {
            "LivePerson does not renew the sign-in (401), so a new one is made when it ends: somebody else may be signed in as this user; give Floorwalker a user of its own.".to_owned()
        })
    }

    /// Our own user's id, once signed in.
    pub async fn own_user(&self) -> Option<String> {
        self.state.lock().await.login.as_ref()?.user.clone()
    }

    pub(super) async fn post_login(&self, login: &Login, what: &str) -> Result<Answer, Trouble> {
        let url = with(&login.vep, &["api", "account", &self.config.account, what], &[("v", "1.3")]);
        let csrf = login.csrf.as_ref().map_or("", Secret::expose);
        let body = serde_json::json!({"csrf": csrf}).to_string();
        let mut request = bearing(login, Request::post(url)).json(body);
        if let Some(cookies) = login.jar.header() {
            request = request.secret_header("cookie", &cookies);
        }
        let answer = self.send(request).await?;
        login.jar.keep(&answer);
        Ok(answer)
    }

    fn learn_clock(&self, now_ms: Option<f64>, answer: &Answer) {
        let told = now_ms.filter(|ms| ms.abs() < 9.0e15).and_then(|ms| {
            let now = Timestamp::from_ms(ms as i64);
            let from_date = answer.date().map(|date| now.seconds_since(date));
            let from_ours =
                f64::midpoint(now.seconds_since(answer.sent_at), now.seconds_since(answer.received_at));
            let is_clock = from_date.unwrap_or(from_ours).abs() < NO_CLOCK_S;
            // A `Date` is up to a second old by itself.
            let from_date = from_date.map(|off| if off.abs() < 2.0 { 0.0 } else { off.round() });
            is_clock.then_some(Told { from_date, from_ours })
        });
        *quick(&self.told) = told;
    }

    /// The vendor's own time in an answer, as a `Date` would say it.
    pub fn date(&self, answer: &Answer) -> Option<Timestamp> {
        match (answer.date(), *quick(&self.told)) {
            (Some(date), Some(Told { from_date: Some(off), .. })) => Some(date.plus_seconds(off)),
            (Some(date), _) => Some(date),
            (None, Some(told)) => {
                let at = answer.received_at.plus_seconds(told.from_ours);
                Some(Timestamp::from_ms(at.as_ms().div_euclid(1000) * 1000))
            }
            (None, None) => None,
        }
    }
}

/// A bearer was refused. Twice within a minute: somebody else signs in with the same user, and fighting
/// over it would throw out a person.
pub(super) fn renew(state: &mut State) -> Result<(), Trouble> {
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

/// What a status says of a sign-in; `None`: it is to be read.
fn refusal(answer: &Answer) -> Option<Trouble> {
    Some(match answer.status {
        401 if speaks_of_a_lock(answer) => Trouble::SignIn(
            "LivePerson refused the sign-in: this user is locked, or must first sign in by hand (a new password, a second factor). Nothing is tried again until the password is entered anew.".to_owned(),
        ),
        401 => Trouble::SignInLater(
            "LivePerson refused the sign-in: check `account`, `username` and the password, and whether the user must sign in through a company portal. If all are right, the account may only be reached from certain addresses: ask the LivePerson administrator.".to_owned(),
        ),
        403 => Trouble::Refused {
            sentence: "LivePerson refused the sign-in (403): check whether this computer's address is allowed by the account's access restrictions.".to_owned(),
            credentials: true,
        },
        451 => Trouble::SignIn(
            "LivePerson has blocked this account or user (451): contact LivePerson's support.".to_owned(),
        ),
        429 => Trouble::Throttled {
            sentence: "LivePerson asks us to sign in more slowly (429); it is tried again after a pause."
                .to_owned(),
            after: Some(answer.retry_after().unwrap_or_default().max(SLOW_LOGIN)),
        },
        status @ 500..=599 => {
            Trouble::Link(format!("LivePerson could not sign us in ({status}); it is tried again."))
        }
        _ => return None,
    })
}

/// A refusal may pass (a company's network that is not joined yet, an address that is not allowed), so it is
/// tried again; but never so often that it could be us who lock the account.
fn later_or_never(sentence: String, refusals: u32) -> Trouble {
    if refusals < TRIES {
        return Trouble::SignInLater(sentence);
    }
    Trouble::SignIn(format!(
        "{sentence} It was refused {refusals} times and is not tried again, so that the account is not locked: enter the password anew, or change the source."
    ))
}

/// Whether a refusal says that another try can only harm.
fn speaks_of_a_lock(answer: &Answer) -> bool {
    if answer.body.len() > 4096 || answer.is_html() {
        return false;
    }
    let text = answer.text().to_ascii_lowercase();
    let words =
        ["locked", "lockout", "disabled", "suspended", "multi-factor", "multifactor", "two-factor", "mfa"];
    words.iter().any(|word| text.contains(word)) || (text.contains("password") && text.contains("expired"))
}

/// Who asks, for everything behind a login.
pub(super) fn bearing(login: &Login, request: Request) -> Request {
    // The pages want the type on every call, also where nothing is sent.
    request
        .auth(Auth::Token { scheme: "Bearer", token: login.bearer.clone() })
        .header("content-type", "application/json")
        .header("x-requested-with", "XMLHttpRequest")
}
