//! One hook's task: groups what it is told, and sends one delivery after the other. A critical alert does not
//! stand behind the tries of an older one: it takes with it all that waits, in order, as one delivery.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::future::pending;
use link::{Http, NetError, NetOptions, Request, Secret, backoff::Backoff};
use model::{Alert, Severity, Transition};
use store::Decision;
use tokio::{sync::mpsc, time::Instant};
use url::Url;

use super::{
    Means, Order,
    body::{self, Told},
    group::Groups,
};
use crate::{
    runtime::record::say,
    settings::{Webhook, WebhookShape, environment},
};

/// Deliveries that wait behind a slow one.
const WAITING: usize = 64;
/// Tries of one delivery.
const TRIES: u32 = 5;
/// From sending to the end of the answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// So long a critical alert waits for the delivery that is under way: most are through by then, and are not
/// told twice.
const PATIENCE: Duration = Duration::from_secs(1);
/// Nobody needs what a receiver says.
const ANSWER: usize = 64 * 1024;

/// A delivery that is under way.
struct Sending {
    /// A critical alert is in it: it makes room for no other, or two that follow each other fast would never
    /// arrive.
    urgent: bool,
    work: Pin<Box<dyn Future<Output = Result<(), String>> + Send>>,
    /// What it tells, once that is written down.
    letter: Arc<OnceLock<Letter>>,
}

/// What is told, and the numbers under which the log has it.
#[derive(Clone, Default)]
struct Letter {
    told: Vec<Told>,
    numbers: Vec<i64>,
}

/// Something to send.
enum Parcel {
    Told(Vec<Told>),
    Again(Box<Alert>),
    /// Written down already, and taken back before it arrived.
    Back(Letter),
}

impl Parcel {
    fn is_urgent(&self) -> bool {
        let urgent = |alert: &Alert| alert.severity == Severity::Critical;
        match self {
            Parcel::Told(list) => list.iter().any(|told| {
                urgent(&told.alert) && matches!(told.transition, Transition::Firing | Transition::Escalated)
            }),
            Parcel::Again(alert) => urgent(alert),
            Parcel::Back(_) => false,
        }
    }
}

pub(super) struct Delivery {
    settings: Webhook,
    means: Means,
    groups: Groups,
    parcels: VecDeque<Parcel>,
    /// When what is under way must make room for a critical alert.
    hurry: Option<Instant>,
    /// A sentence about failing was said; the next is for when it works again.
    complained: bool,
    dropped: bool,
}

impl Delivery {
    pub fn new(settings: Webhook, means: Means) -> Self {
        Self {
            settings,
            means,
            groups: Groups::default(),
            parcels: VecDeque::new(),
            hurry: None,
            complained: false,
            dropped: false,
        }
    }

    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut sending: Option<Sending> = None;
        loop {
            if sending.is_none() {
                sending = self.next();
            }
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Tell(told)) => {
                        if let Some(now) = self.groups.take(told, Instant::now()) {
                            self.put(Parcel::Told(now));
                        }
                    }
                    Some(Order::Again(alert)) => self.put(Parcel::Again(Box::new(alert))),
                    Some(Order::Finish(done)) => {
                        self.finish(sending.take()).await;
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
                () = until(self.groups.due()) => {
                    for ready in self.groups.ready(Instant::now()) {
                        self.put(Parcel::Told(ready));
                    }
                }
                sent = done(&mut sending) => {
                    sending = None;
                    self.tell(sent);
                }
                () = until(self.hurry) => self.make_room(&mut sending),
            }
        }
    }

    /// One parcel after the other; with a critical alert among them all at once, so that it neither waits nor
    /// is told before what happened to the same alert earlier.
    fn next(&mut self) -> Option<Sending> {
        self.hurry = None;
        let urgent = self.parcels.iter().any(Parcel::is_urgent);
        let parcels: Vec<Parcel> = if urgent {
            self.parcels.drain(..).collect()
        } else {
            self.parcels.pop_front().into_iter().collect()
        };
        (!parcels.is_empty()).then(|| Sending { urgent, ..self.send(parcels, TRIES) })
    }

    /// What is under way is taken back, to be told together with what cannot wait.
    fn make_room(&mut self, sending: &mut Option<Sending>) {
        if sending.as_ref().is_some_and(|sending| sending.urgent) {
            self.hurry = None;
            return;
        }
        match sending.as_ref().and_then(|sending| sending.letter.get()) {
            Some(letter) => {
                self.parcels.push_front(Parcel::Back(letter.clone()));
                *sending = None;
                self.hurry = None;
            }
            // It is just being written down.
            None => self.hurry = sending.is_some().then(|| Instant::now() + PATIENCE),
        }
    }

    /// The oldest is let go for the newest: what stands now matters more.
    fn put(&mut self, parcel: Parcel) {
        if self.parcels.len() >= WAITING {
            self.parcels.pop_front();
            if !std::mem::replace(&mut self.dropped, true) {
                let name = &self.settings.name;
                let sentence =
                    format!("The webhook {name} is too slow; its oldest waiting alerts are left out.");
                say(&self.means.sentences, sentence);
            }
        }
        if parcel.is_urgent() {
            self.hurry.get_or_insert(Instant::now() + PATIENCE);
        }
        self.parcels.push_back(parcel);
    }

    async fn finish(&mut self, sending: Option<Sending>) {
        if let Some(sending) = sending {
            let sent = sending.work.await;
            self.tell(sent);
        }
        let waiting = self.groups.all();
        self.parcels.extend(waiting.into_iter().map(Parcel::Told));
        while let Some(parcel) = self.parcels.pop_front() {
            let sent = self.send(vec![parcel], 1).work.await;
            self.tell(sent);
        }
    }

    /// One sentence when it begins to fail, one when it works again.
    fn tell(&mut self, sent: Result<(), String>) {
        let name = &self.settings.name;
        match sent {
            Err(why) if !std::mem::replace(&mut self.complained, true) => {
                say(&self.means.sentences, format!("The webhook {name} was not told of an alert: {why}"));
            }
            Err(why) => tracing::info!(hook = name, why, "A webhook was not told of an alert."),
            Ok(()) => {
                self.dropped = false;
                if std::mem::take(&mut self.complained) {
                    say(&self.means.sentences, format!("The webhook {name} is told of alerts again."));
                }
            }
        }
    }

    fn send(&self, parcels: Vec<Parcel>, tries: u32) -> Sending {
        let (settings, means) = (self.settings.clone(), self.means.clone());
        let letter: Arc<OnceLock<Letter>> = Arc::default();
        let shown = letter.clone();
        let work = Box::pin(async move {
            let mut reserved = Letter::default();
            for parcel in parcels {
                reserve(&settings, &means, parcel, &mut reserved).await;
            }
            let letter = shown.get_or_init(|| reserved);
            if letter.told.is_empty() {
                return Ok(());
            }
            Post::prepare(&settings, &means, &letter.told).await?.deliver(&means, tries).await?;
            for number in &letter.numbers {
                means.book.delivered(vec![*number], means.clock.now());
            }
            Ok(())
        });
        Sending { urgent: false, work, letter }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => pending().await,
    }
}

async fn done(sending: &mut Option<Sending>) -> Result<(), String> {
    match sending {
        Some(sending) => sending.work.as_mut().await,
        None => pending().await,
    }
}

/// Writes down what is about to be told, and leaves out what the log says was told.
async fn reserve(settings: &Webhook, means: &Means, parcel: Parcel, letter: &mut Letter) {
    let channel = format!("webhook:{}", settings.name);
    let Letter { told, numbers } = letter;
    let mut ask = async |alert: &Alert, kind: String| {
        let at = means.clock.now();
        match means.book.reserve(alert.id.clone(), kind, channel.clone(), at).await {
            Some(Decision::Send { id, .. }) => {
                numbers.push(id);
                true
            }
            Some(Decision::Done) => false,
            // Nothing is kept: it is told, and perhaps twice.
            None => true,
        }
    };
    match parcel {
        Parcel::Back(back) => {
            numbers.extend(back.numbers);
            told.extend(back.told);
        }
        Parcel::Told(list) => {
            for one in list {
                let at = means.clock.now().as_ms();
                let wanted = match one.transition {
                    Transition::Firing => {
                        let fresh = ask(&one.alert, "firing".to_owned()).await;
                        if one.alert.severity == Severity::Critical {
                            // Told as critical already: after a crash it is no news that it escalated.
                            ask(&one.alert, "escalated".to_owned()).await;
                        }
                        fresh
                    }
                    Transition::Escalated => {
                        // It may have gone down and up again in one episode.
                        ask(&one.alert, "escalated".to_owned()).await
                            || ask(&one.alert, format!("escalated-{at}")).await
                    }
                    Transition::Flapping => ask(&one.alert, format!("flapping-{at}")).await,
                    _ => ask(&one.alert, "resolved".to_owned()).await,
                };
                if wanted {
                    told.push(one);
                }
            }
        }
        Parcel::Again(alert) => {
            if ask(&alert, "firing".to_owned()).await {
                if alert.severity == Severity::Critical {
                    ask(&alert, "escalated".to_owned()).await;
                }
                told.push(Told { transition: Transition::Firing, alert: *alert });
            } else if alert.severity == Severity::Critical && ask(&alert, "escalated".to_owned()).await {
                told.push(Told { transition: Transition::Escalated, alert: *alert });
            }
        }
    }
}

/// A delivery, ready to be sent as often as needed.
struct Post {
    http: Http,
    url: Url,
    /// The address itself is the secret: nothing of it is ever said.
    hidden: bool,
    key: Option<Secret>,
    body: String,
}

impl Post {
    async fn prepare(settings: &Webhook, means: &Means, told: &[Told]) -> Result<Self, String> {
        let secret = find_secret(settings, means).await?;
        let (address, key) = match (&settings.url, secret) {
            (Some(url), key) => (Secret::new(url.clone()), key),
            (None, Some(address)) => (address, None),
            (None, None) => {
                return Err(format!(
                    "no address is stored; add `url`, or run `floorctl secret set webhook:{}`.",
                    settings.name
                ));
            }
        };
        if settings.url.is_some() && settings.shape == WebhookShape::Json && key.is_none() {
            return Err(format!(
                "no secret to sign with is stored; name one with `secret_env`, or run `floorctl secret set webhook:{}`.",
                settings.name
            ));
        }
        let url = Url::parse(address.expose().trim()).map_err(|_| {
            "its address cannot be read; write it like https://hooks.example.com/…".to_owned()
        })?;
        let http = Http::new(&NetOptions::default(), means.clock.clone()).map_err(|e| e.to_string())?;
        let body = body::body(settings.shape, told);
        Ok(Self { http, url, hidden: settings.url.is_none(), key, body })
    }

    async fn deliver(&self, means: &Means, tries: u32) -> Result<(), String> {
        let mut backoff = Backoff::new(rand::random());
        let mut left = tries;
        loop {
            left = left.saturating_sub(1);
            let mut request = Request::post(self.url.clone())
                .json(self.body.as_str())
                .deadline(DEADLINE)
                .body_limit(ANSWER);
            if let Some(key) = &self.key {
                let signature = body::signature(key, means.clock.now(), &self.body);
                request = request.header("x-floorwalker-signature", signature);
            }
            let (why, asked, hopeless) = match self.http.send(request).await {
                Ok(answer) if answer.is_success() => return Ok(()),
                Ok(answer) if (300..400).contains(&answer.status) => (
                    format!(
                        "it answered {}, a redirect, which is never followed; mend its address.",
                        answer.status
                    ),
                    answer.retry_after(),
                    false,
                ),
                Ok(answer) => (format!("it answered {}.", answer.status), answer.retry_after(), false),
                Err(error) => (self.sentence(&error), None, error.is_configuration()),
            };
            if left == 0 || hopeless {
                return Err(without_hope(&why));
            }
            tracing::info!(why, left, "A webhook is tried again.");
            tokio::time::sleep(asked.unwrap_or_else(|| backoff.next_wait())).await;
        }
    }

    fn sentence(&self, error: &NetError) -> String {
        let sentence = error.sentence();
        if self.hidden { sentence.replace(&error.host, "Its host") } else { sentence }
    }
}

/// The last try: what is said of a next one is not true any more.
fn without_hope(why: &str) -> String {
    let bare = why.strip_suffix("; it is tried again.").map(|bare| format!("{bare}."));
    bare.unwrap_or_else(|| why.to_owned())
}

async fn find_secret(settings: &Webhook, means: &Means) -> Result<Option<Secret>, String> {
    if let Some(variable) = &settings.secret_env {
        return match environment(variable) {
            Some(text) if !text.is_empty() => Ok(Some(Secret::new(text))),
            _ => Err(format!("the environment variable {variable} is not set.")),
        };
    }
    match means.vault.get(&format!("webhook:{}", settings.name)).await {
        Ok(found) => Ok(found),
        // A chat's address needs no key; what is signed does.
        Err(_) if settings.url.is_some() && settings.shape != WebhookShape::Json => Ok(None),
        Err(error) => Err(format!("its secret cannot be read: {error}.")),
    }
}

#[cfg(test)]
mod tests;
