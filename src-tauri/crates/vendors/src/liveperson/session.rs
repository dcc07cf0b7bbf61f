//! The agent session: opened, set Away before anything else, and left without harm to anybody's chat.

use std::{mem::replace, sync::Arc, time::Duration};

use link::{Answer, Request, poll::Trouble};
use tokio::time::Instant;
use url::Url;

use super::{
    WORDS,
    address::{Jar, stays, with},
    hosts::Domain,
    login::{Account, Login, State, TWICE, bearing, link_trouble, quick, renew},
    wire::{AvailabilityAnswer, SessionCreated, own_keys},
};
use crate::{loose, rest};

/// A session that somebody else ended twice is not opened again before this.
const LOST_PAUSE: Duration = Duration::from_secs(300);
/// Where no sessions are offered, none is asked for before this.
const NONE_PAUSE: Duration = Duration::from_secs(300);
/// One that could not be set Away is not opened again before this: each try is Online for a moment.
const ONLINE_PAUSE: Duration = Duration::from_secs(3600);
/// The same where the reason may pass by itself, seconds; the last pause stays.
const ONLINE_AGAIN: [u64; 4] = [30, 120, 600, 3600];
/// So often the way to Away is tried while the session is young, and the pause between.
const AWAY_TRIES: u32 = 3;
const AWAY_PAUSE: Duration = Duration::from_millis(700);
/// So often something is asked of a session while the login or the session is replaced under it.
const TRIES: u32 = 4;
/// Leaving takes no longer than this.
const LEAVING: Duration = Duration::from_secs(4);

/// An agent session: where its resources are, and the cookies that go there and nowhere else.
pub struct AgentSession {
    turn: u64,
    base: Url,
    jar: Jar,
}

/// What became of the wish for a session.
enum Opened {
    Session(AgentSession),
    /// The bearer is refused.
    Expired,
    /// There is no such service at this host: the status that says so.
    NotThere(u16),
}

/// Why our user is not Away.
struct NotAway {
    /// It may be otherwise in a while.
    passes: bool,
    /// The bearer was refused, not the wish.
    expired: bool,
    sentence: &'static str,
}

const COMMON: &[(&str, &str)] = &[("v", "1"), ("NC", "true")];

impl Account {
    /// A GET of a resource of the agent session. A session that is gone is opened anew once.
    pub async fn session_get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, Trouble> {
        let (mut moved, mut expired, mut gone) = (false, false, false);
        for _ in 0..TRIES {
            let (login, session) = self.session().await?;
            if path == ["chatSessions"] {
                self.wait_for_list().await;
            }
            let answer = match self.read(&login, &session, path, query).await {
                Err(Trouble::Link(sentence)) => {
                    if !replace(&mut moved, true) && self.has_moved(Domain::Vep).await {
                        self.moved(login.turn).await;
                        continue;
                    }
                    return Err(Trouble::Link(sentence));
                }
                answer => answer?,
            };
            match answer.status {
                // A bearer that was replaced while this was under way says nothing of the new one.
                401 if self.is_replaced(login.turn).await => {}
                401 if !replace(&mut expired, true) => self.expired(login.turn).await?,
                // The new bearer is refused as well, here and nowhere else.
                401 => return Err(part_refused()),
                404 | 410 if !gone && self.is_gone(&login, &session).await? => {
                    gone = true;
                    self.session_gone(session.turn).await?;
                }
                _ => return Ok(answer),
            }
        }
        Err(link_trouble("LivePerson did not keep the agent session."))
    }

    /// The vendor wants the list of own chats left alone for two seconds.
    async fn wait_for_list(&self) {
        let mut asked = self.list_asked.lock().await;
        if let Some(at) = *asked {
            tokio::time::sleep_until(at + self.config.list_every).await;
        }
        *asked = Some(Instant::now());
    }

    pub(super) async fn read(
        &self,
        login: &Login,
        session: &AgentSession,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Trouble> {
        self.send_in(session, in_session(login, session, Request::get, path, query)).await
    }

    async fn send_in(&self, session: &AgentSession, request: Request) -> Result<Answer, Trouble> {
        let answer = self.send(request).await?;
        session.jar.keep(&answer);
        Ok(answer)
    }

    /// Something is not there: is it the thing, or the whole session? Its availability tells.
    async fn is_gone(&self, login: &Login, session: &AgentSession) -> Result<bool, Trouble> {
        let answer = self.read(login, session, &["availability"], &[]).await?;
        Ok(matches!(answer.status, 404 | 410))
    }

    /// The login's host is another one now; with it goes the login.
    async fn moved(&self, turn: u64) {
        let mut state = self.state.lock().await;
        if state.login.as_ref().is_some_and(|login| login.turn == turn) {
            state.login = None;
            state.session = None;
        }
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

    /// The agent session, opened and set Away if need be.
    async fn session(&self) -> Result<(Arc<Login>, Arc<AgentSession>), Trouble> {
        let arrived = Instant::now();
        let mut state = self.state.lock().await;
        for _ in 0..3 {
            let login = self.ready(&mut state, arrived).await?;
            if let Some(session) = &state.session {
                return Ok((login, session.clone()));
            }
            if let Some((until, sentence)) = &state.no_session
                && Instant::now() < *until
            {
                return Err(Trouble::Broken { sentence: sentence.clone(), soon: false });
            }
            // What was told of an earlier session's chats says nothing of this one's.
            self.list_told(false);
            let session = match self.open_session(&login, state.turn + 1).await? {
                Opened::Session(session) => session,
                Opened::Expired => {
                    renew(&mut state)?;
                    continue;
                }
                Opened::NotThere(_) if self.has_moved(Domain::Vep).await => {
                    state.login = None;
                    continue;
                }
                Opened::NotThere(status) => {
                    let sentence = format!(
                        "LivePerson offers no agent sessions for this account ({status}): its chats may have moved to Messaging, which Floorwalker does not read; set `agent_session = false` to see skills only."
                    );
                    state.no_session = Some((Instant::now() + NONE_PAUSE, sentence.clone()));
                    return Err(Trouble::Broken { sentence, soon: false });
                }
            };
            state.turn = session.turn;
            state.opened = true;
            let session = Arc::new(session);
            return match self.set_away(&login, &session).await {
                Ok(()) => {
                    state.away_failures = 0;
                    state.session = Some(session.clone());
                    Ok((login, session))
                }
                Err(not_away) if not_away.expired => {
                    renew(&mut state)?;
                    continue;
                }
                Err(not_away) => Err(self.give_up(&mut state, &login, &session, &not_away).await),
            };
        }
        Err(link_trouble("LivePerson did not open an agent session."))
    }

    /// Nobody may be sent to a supervisor who is not there: rather no session at all.
    async fn give_up(
        &self,
        state: &mut State,
        login: &Login,
        session: &AgentSession,
        not_away: &NotAway,
    ) -> Trouble {
        // Chats of an earlier session may hang on this user; a logout would send them back to the queue.
        let harmless = self.has_own_chats(login, session).await == Some(false);
        let ended = harmless && self.post_login(login, "logout").await.is_ok_and(|a| a.is_success());
        tracing::warn!(ended, reason = not_away.sentence, "the agent session was given up");
        state.login = None;
        state.session = None;
        let pause = if not_away.passes {
            let pause = ONLINE_AGAIN[state.away_failures.min(ONLINE_AGAIN.len() - 1)];
            state.away_failures += 1;
            Duration::from_secs(pause)
        } else {
            ONLINE_PAUSE
        };
        let end = if ended {
            "the agent session was ended before a chat could be sent to it"
        } else {
            "the agent session is left alone; sign this user out where it is still Online"
        };
        let sentence = format!(
            "LivePerson did not let Floorwalker set its user to Away ({}), so {end}: agents and chats are not shown.",
            not_away.sentence
        );
        state.no_session = Some((Instant::now() + pause, sentence.clone()));
        Trouble::Broken { sentence, soon: false }
    }

    async fn open_session(&self, login: &Login, turn: u64) -> Result<Opened, Trouble> {
        let url = with(&login.vep, &["api", "account", &self.config.account, "agentSession"], COMMON);
        let answer = self.send(bearing(login, Request::post(url)).json(r#"{"loginData":""}"#)).await?;
        let words = "the agent session";
        match answer.status {
            401 => return Ok(Opened::Expired),
            403 => {
                return Err(Trouble::Refused {
                    sentence: "LivePerson does not let this user open an agent session (403): ask for the permission, or set `agent_session = false` to see skills only.".to_owned(),
                    credentials: false,
                });
            }
            status @ (404 | 405 | 410) => return Ok(Opened::NotThere(status)),
            _ => {}
        }
        if let Some(trouble) = rest::redirected(&answer) {
            return Err(trouble);
        }
        let location = answer.header("location").filter(|_| answer.is_success()).map(str::to_owned);
        let href = match rest::body(&answer, words, &WORDS) {
            Ok(body) => loose::read::<SessionCreated>(body).ok().and_then(|said| said.href()).or(location),
            Err(trouble) => Some(location.ok_or(trouble)?),
        };
        let href = href.and_then(|href| answer.url.join(&href).ok());
        let id =
            href.as_ref().and_then(|url| url.path_segments()?.rfind(|s| !s.is_empty()).map(str::to_owned));
        let id = id.as_deref().map(|id| id.strip_suffix(".json").unwrap_or(id));
        let Some(id) =
            id.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        else {
            return Err(rest::unreadable(&answer, words, &WORDS));
        };
        // The address is the server's data: it is used where it stays with the vendor, else made anew.
        let host = href.clone().filter(|url| stays(url, &login.vep)).map_or_else(
            || login.vep.clone(),
            |mut url| {
                url.set_path("/");
                url.set_query(None);
                url.set_fragment(None);
                url
            },
        );
        let base = with(&host, &["api", "account", &self.config.account, "agentSession", id], &[]);
        let jar = Jar::default();
        jar.keep(&answer);
        Ok(Opened::Session(AgentSession { turn, base, jar }))
    }

    /// Sets our user Away and looks whether it is so.
    async fn set_away(&self, login: &Login, session: &AgentSession) -> Result<(), NotAway> {
        let mut reason = NotAway { passes: true, expired: false, sentence: "no answer" };
        for again in 0..AWAY_TRIES {
            if again > 0 {
                tokio::time::sleep(AWAY_PAUSE).await;
            }
            let set = in_session(login, session, Request::post, &["availability"], &[])
                .header("x-http-method-override", "PUT")
                .json(r#"{"availability":{"chat":"Away"}}"#);
            match self.send_in(session, set).await {
                Ok(answer) if answer.is_success() => {}
                Ok(answer) if matches!(answer.status, 408 | 425 | 429 | 500..=599) => {
                    reason = NotAway { passes: true, expired: false, sentence: "a fault at LivePerson" };
                    continue;
                }
                Ok(answer) if answer.status == 401 => {
                    let asked = self.read(login, session, &["availability"], &[]).await;
                    let expired = asked.is_ok_and(|answer| answer.status == 401);
                    return Err(NotAway { passes: false, expired, sentence: "refused" });
                }
                Ok(_) => return Err(NotAway { passes: false, expired: false, sentence: "refused" }),
                Err(_) => {
                    reason = NotAway { passes: true, expired: false, sentence: "no answer" };
                    continue;
                }
            }
            let word = match self.read(login, session, &["availability"], &[]).await {
                Ok(answer) if answer.is_success() => {
                    loose::read::<AvailabilityAnswer>(&answer.body).ok().and_then(|a| a.word())
                }
                // Set, and nothing speaks against it.
                _ => None,
            };
            match word.as_deref() {
                Some(word) if word.eq_ignore_ascii_case("online") => {
                    reason = NotAway { passes: false, expired: false, sentence: "it is still Online" };
                }
                _ => return Ok(()),
            }
        }
        Err(reason)
    }

    /// Our user was found to be taking chats: it is sent Away again.
    pub async fn away_again(&self) {
        let Ok((login, session)) = self.session().await else { return };
        if self.set_away(&login, &session).await.is_err() {
            tracing::warn!("LivePerson still shows our user as Online");
        }
    }

    /// Whether our own user has chats; `None` when that cannot be told.
    async fn has_own_chats(&self, login: &Login, session: &AgentSession) -> Option<bool> {
        if quick(&self.none_told).is_some_and(|at| at.elapsed() < self.config.list_every) {
            // The list may not be asked for again so soon.
            return Some(false);
        }
        let asked = async {
            self.wait_for_list().await;
            self.read(login, session, &["chatSessions"], &[]).await
        };
        let answer = tokio::time::timeout(LEAVING, asked).await.ok()?.ok()?;
        if !answer.is_success() {
            return None;
        }
        own_keys(&answer.body).map(|keys| !keys.is_empty())
    }

    /// The list of own chats has answered: `none` of them are open.
    pub(super) fn list_told(&self, none: bool) {
        *quick(&self.none_told) = none.then(Instant::now);
    }

    /// Leaves politely. While own chats are open, or may be, nothing is ended: their customers would be
    /// sent back to the queue. `chats_are_none`: as far as was seen.
    pub async fn leave(&self, chats_are_none: bool) {
        let mut state = self.state.lock().await;
        let Some(login) = state.login.take() else { return };
        if state.opened {
            let none = match state.session.take() {
                Some(session) if chats_are_none => self.has_own_chats(&login, &session).await == Some(false),
                _ => false,
            };
            if !none {
                tracing::info!("left LivePerson without signing out: there may be open chats");
                return;
            }
        }
        let leaving = self.post_login(&login, "logout");
        let ended = tokio::time::timeout(LEAVING, leaving).await;
        tracing::debug!(ended = ended.is_ok_and(|a| a.is_ok()), "signed out at LivePerson");
    }
}

/// One part of the session is refused although who asks is known.
fn part_refused() -> Trouble {
    Trouble::Refused {
        sentence: "LivePerson does not give this user a part of the agent session (401) although the sign-in is good: ask for the Agent Manager profile and its permission to see agents and chats.".to_owned(),
        credentials: true,
    }
}

fn in_session(
    login: &Login,
    session: &AgentSession,
    method: fn(Url) -> Request,
    path: &[&str],
    query: &[(&str, &str)],
) -> Request {
    let query: Vec<(&str, &str)> = query.iter().chain(COMMON).copied().collect();
    let request = bearing(login, method(with(&session.base, path, &query)));
    match session.jar.header() {
        Some(cookies) => request.secret_header("cookie", &cookies),
        None => request,
    }
}
