//! From nothing to a feed: choose the application, sign in, subscribe; and a sentence for every refusal.

use std::{collections::VecDeque, time::Duration};

use link::{
    Phase, Secret,
    origin::place,
    single_flight::Token,
    ws::{Frame, Socket, Target, WsError},
};
use serde_json::json;
use tokio::time::Instant;

use super::{
    auth::Pass,
    lines::{LONGEST, Lines},
    run::{End, Source, Way},
    wire::{Line, OLD_TABLES},
};
use crate::loose;

/// The application's name; the spaces are the vendor's.
const APPLICATION: &str = "ingredi state api";

/// Why the way was not the right one.
enum Opened {
    Ready(Box<Socket>, Lines),
    /// The appliance does not know this way of choosing.
    WrongWay(String),
}

/// Connects, signs in and subscribes. Lines that came right behind the answer are handed on.
pub(super) async fn begin(source: &mut Source) -> Result<(Box<Socket>, Lines, VecDeque<Vec<u8>>), End> {
    let mut tries = 0;
    loop {
        tries += 1;
        let Pass { token, fresh } = token(source).await?;
        let (socket, lines) = match open(source).await? {
            Opened::Ready(socket, lines) => (socket, lines),
            Opened::WrongWay(sentence) => {
                turn_way(source, tries, sentence)?;
                continue;
            }
        };
        let patience = source.config.pace.answer;
        let mut talk = Talk { socket, lines, ready: VecDeque::new(), patience };
        let answer = talk.sign_in(source, &token).await?;
        if !matches!(answer, SignIn::WrongWay(_)) {
            source.worked = Some(source.way);
        }
        match answer {
            SignIn::Welcome => source.accepted = Some(token.turn),
            SignIn::WrongWay(sentence) => {
                turn_way(source, tries, sentence)?;
                continue;
            }
            SignIn::NoApplication => {
                let host = place(&source.config.feed_url);
                return Err(End::Denied(format!(
                    "{host} does not offer its live state here: check `company`, and that its version has the Real-Time State API."
                )));
            }
            SignIn::Refused(complaint) => {
                let old = !fresh || source.accepted == Some(token.turn);
                source.auth.refused(&token).await;
                let host = place(&source.config.feed_url);
                if is_full(&complaint) {
                    return Err(End::Lost(full(&host), None));
                }
                if old && tries < 3 {
                    // It was good before: its time may be over, or a fail-over has forgotten it; or another
                    // source bought it, and it is good no more.
                    source.accepted = None;
                    continue;
                }
                return Err(End::Denied(format!(
                    "{host} refuses the live state to this API account: give it the permission for the Real-Time State API, and see that it is enabled."
                )));
            }
        }
        match talk.subscribe(source).await? {
            None => return Ok((talk.socket, talk.lines, talk.ready)),
            Some(complaint) => {
                let host = place(&source.config.feed_url);
                if is_full(&complaint) {
                    return Err(End::Lost(full(&host), None));
                }
                if std::mem::take(&mut source.by_name) {
                    return Err(End::Denied(format!(
                        "{host} refuses to tell its state to this API account: give it the permission for the Real-Time State API."
                    )));
                }
                source.by_name = true;
            }
        }
    }
}

/// The token in use; the answer that brought it also tells the appliance's clock.
async fn token(source: &mut Source) -> Result<Pass, End> {
    let Source { auth, config, http, session, dated, .. } = source;
    let pass = auth.token(config, http).await;
    *dated |= auth.teach(&mut session.skew);
    Ok(pass?)
}

/// Takes the other way at once when there is one, else ends the visit. A way that has worked is left only
/// when it fails again and again: most often it is the network that failed.
fn turn_way(source: &mut Source, tries: u32, sentence: String) -> Result<(), End> {
    source.way_failed += 1;
    if source.worked == Some(source.way) && source.way_failed < 3 {
        return Err(End::Lost(sentence, None));
    }
    let other = match source.way {
        Way::SubProtocol => source.config.company.as_ref().map(|_| Way::InBand),
        Way::InBand => Some(Way::SubProtocol),
    };
    match other {
        Some(way) => {
            (source.way, source.way_failed) = (way, 0);
            if tries < 2 { Ok(()) } else { Err(End::Lost(sentence, None)) }
        }
        None => Err(End::Lost(
            format!("{sentence} If this version asks for the company's name, add it as `company`."),
            None,
        )),
    }
}

async fn open(source: &mut Source) -> Result<Opened, End> {
    let config = &source.config;
    let may_turn = source.way == Way::SubProtocol && source.worked.is_none() && config.company.is_some();
    let host = place(&config.feed_url);
    let mut target = Target::new(config.feed_url.clone()).message_limit(LONGEST + 1024 * 1024);
    if source.way == Way::SubProtocol {
        target = target.protocol(APPLICATION);
    }
    if let Some(company) = config.company.as_deref().filter(|c| c.is_ascii()) {
        target = target.header("x-ns-company", Secret::new(company));
    }
    let socket = match source.dialer.connect(&target).await {
        Ok(socket) => Box::new(socket),
        Err(WsError::Net(error)) if error.is_configuration() => {
            return Err(End::Misconfigured(error.sentence()));
        }
        Err(WsError::Net(error)) if error.phase == Phase::Protocol && source.way == Way::SubProtocol => {
            return Ok(Opened::WrongWay(error.sentence()));
        }
        // An appliance that does not know the sub-protocol may refuse the upgrade, or drop it.
        Err(WsError::Refused(refusal))
            if may_turn && matches!(refusal.status, 400 | 404 | 405 | 426 | 500 | 501) =>
        {
            return Ok(Opened::WrongWay(format!(
                "{host} has no live state at this address: check that `url` is the support site and, where it is set, `company`; or its version lacks the Real-Time State API."
            )));
        }
        Err(error @ WsError::Closed { .. }) if may_turn => {
            return Ok(Opened::WrongWay(error.to_string()));
        }
        Err(WsError::Net(error)) if may_turn && error.phase == Phase::Broken => {
            return Ok(Opened::WrongWay(error.sentence()));
        }
        Err(WsError::Refused(refusal)) => {
            let wait = refusal.retry_after(source.now());
            return Err(match refusal.status {
                // Right after success a refusal is first taken for a limit.
                403 if std::mem::take(&mut source.was_live) => End::Throttled(
                    format!("{host} refuses a new connection for now; it is tried again later."),
                    wait,
                ),
                401 | 403 => {
                    End::Denied(format!("{host} forbids the live connection: ask its administrator why."))
                }
                429 => End::Throttled(
                    format!("{host} allows no more connections for now; it is tried again later."),
                    wait,
                ),
                503 => End::Unavailable(wait),
                400 | 404 | 405 | 426 => End::Lost(
                    format!(
                        "{host} has no live state at this address: check that `url` is the support site and, where it is set, `company`; or its version lacks the Real-Time State API."
                    ),
                    wait,
                ),
                300..400 => End::Lost(
                    format!("{host} redirects the live connection: put the final address into `url`."),
                    wait,
                ),
                status => End::Lost(
                    format!("{host} refused the live connection with status {status}; it is tried again."),
                    wait,
                ),
            });
        }
        Err(error) => return Err(lost(&error)),
    };
    let lines = Lines::default();
    if source.way == Way::SubProtocol {
        return Ok(Opened::Ready(socket, lines));
    }
    let patience = source.config.pace.answer;
    let mut talk = Talk { socket, lines, ready: VecDeque::new(), patience };
    let company = config.company.as_deref().unwrap_or_default();
    let ask = format!("NS01{company}\n{APPLICATION}\n");
    talk.socket.send_text(ask).await.map_err(|e| lost(&e))?;
    match talk.line(&host).await {
        Ok(line) if chosen(&line) == Some(true) => Ok(Opened::Ready(talk.socket, talk.lines)),
        Ok(line) if chosen(&line) == Some(false) => Err(End::Denied(format!(
            "{host} does not know the company `{company}`: check `company` (it stands in /login under Status > Information)."
        ))),
        Ok(_) | Err(Unanswered::Closed) => {
            Ok(Opened::WrongWay(format!("{host} closed the live connection before it began.")))
        }
        Err(Unanswered::Late(sentence)) => Ok(Opened::WrongWay(sentence)),
        Err(Unanswered::End(end)) => Err(end),
    }
}

/// Whether the chooser's line says yes; `None` when it is no such line.
fn chosen(line: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(line).ok()?;
    let number = text.split(' ').next()?;
    let is_one = text.contains(' ') && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_one.then(|| number == "0")
}

/// No answer came.
enum Unanswered {
    Closed,
    /// Not a word in time; the sentence.
    Late(String),
    End(End),
}

impl Unanswered {
    /// What it means where closing has no meaning of its own.
    fn end(self, closed: impl FnOnce() -> String) -> End {
        match self {
            Unanswered::Closed => End::Lost(closed(), None),
            Unanswered::Late(sentence) => End::Lost(sentence, None),
            Unanswered::End(end) => end,
        }
    }
}

/// An answer before the feed.
enum Said {
    Answer(Box<Line>),
    NoApplication,
}

enum SignIn {
    Welcome,
    /// The chooser says no where its line was not asked for.
    NoApplication,
    Refused(String),
    WrongWay(String),
}

/// A connection before the feed: one question, one answer.
struct Talk {
    socket: Box<Socket>,
    lines: Lines,
    ready: VecDeque<Vec<u8>>,
    /// Time for an answer.
    patience: Duration,
}

impl Talk {
    async fn line(&mut self, host: &str) -> Result<Vec<u8>, Unanswered> {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(line);
            }
            let bytes = match self.socket.next_before(deadline).await {
                Ok(Some(Frame::Text(text))) => text.as_bytes().to_vec(),
                Ok(Some(Frame::Binary(bytes))) => bytes.to_vec(),
                Ok(Some(Frame::Life)) => continue,
                Ok(None) => {
                    let sentence = format!(
                        "{host} did not answer within {} s on the live connection; it is tried again.",
                        self.patience.as_secs()
                    );
                    return Err(Unanswered::Late(sentence));
                }
                Err(WsError::Closed { .. }) => return Err(Unanswered::Closed),
                Err(error) => return Err(Unanswered::End(lost(&error))),
            };
            let lines = self.lines.take(&bytes).map_err(|_| Unanswered::End(too_long(host)))?;
            self.ready.extend(lines);
        }
    }

    /// The next line that is an answer; anything else is passed over.
    async fn answer(&mut self, host: &str) -> Result<Said, Unanswered> {
        loop {
            let bytes = self.line(host).await?;
            if chosen(&bytes) == Some(false) {
                return Ok(Said::NoApplication);
            }
            match loose::read::<Line>(&bytes) {
                Ok(line) if line.success.is_some() => return Ok(Said::Answer(Box::new(line))),
                _ => {}
            }
        }
    }

    async fn sign_in(&mut self, source: &Source, token: &Token) -> Result<SignIn, End> {
        let host = place(&source.config.feed_url);
        let ask = Secret::new(format!(
            "{}\n",
            json!({"type": "authenticate", "credentials": {"bearer_token": token.secret.expose()}})
        ));
        if let Err(error) = self.socket.send_text(ask.expose()).await {
            return match error {
                WsError::Closed { .. } => Ok(SignIn::WrongWay(error.to_string())),
                other => Err(lost(&other)),
            };
        }
        let may_turn = source.worked.is_none() && source.config.company.is_some();
        match self.answer(&host).await {
            Ok(Said::NoApplication) => Ok(SignIn::NoApplication),
            Ok(Said::Answer(line)) if line.success == Some(true) => Ok(SignIn::Welcome),
            Ok(Said::Answer(line)) => Ok(SignIn::Refused(line.complaint.unwrap_or_default())),
            Err(Unanswered::Closed) => {
                Ok(SignIn::WrongWay(format!("{host} closed the live connection at the sign-in.")))
            }
            // It may be waiting for the other way of beginning.
            Err(Unanswered::Late(sentence)) if may_turn => Ok(SignIn::WrongWay(sentence)),
            Err(other) => Err(other.end(String::new)),
        }
    }

    /// `None` when the feed begins; otherwise the appliance's words.
    async fn subscribe(&mut self, source: &Source) -> Result<Option<String>, End> {
        let host = place(&source.config.feed_url);
        let tables = if source.by_name { json!(OLD_TABLES) } else { json!("all") };
        let ask = format!("{}\n", json!({"type": "subscribe", "tables": tables}));
        self.socket.send_text(ask).await.map_err(|e| lost(&e))?;
        match self.answer(&host).await {
            Ok(Said::Answer(line)) if line.success == Some(true) => Ok(None),
            Ok(Said::Answer(line)) => Ok(Some(line.complaint.unwrap_or_default())),
            Ok(Said::NoApplication) => Ok(Some(String::new())),
            Err(Unanswered::Closed) => Err(End::CutShort),
            Err(other) => Err(other.end(String::new)),
        }
    }
}

pub(super) fn lost(error: &WsError) -> End {
    match error {
        WsError::Net(error) if error.is_configuration() => End::Misconfigured(error.sentence()),
        other => End::Lost(other.to_string(), None),
    }
}

pub(super) fn too_long(host: &str) -> End {
    End::Lost(
        format!(
            "{host} sent a line of more than {} MiB, which is refused: check that the address is the support site.",
            LONGEST / (1024 * 1024)
        ),
        None,
    )
}

/// The appliance's words for having no place left.
fn is_full(complaint: &str) -> bool {
    let words = complaint.to_lowercase();
    ["limit", "maximum", "too many", "thirty", "integrations"].iter().any(|w| words.contains(w))
}

pub(super) fn full(host: &str) -> String {
    format!(
        "{host} closed the live state right away: probably thirty integrations, its limit, are connected already; end one of them."
    )
}
