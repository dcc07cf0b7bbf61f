//! One hook's task: groups what it is told, and sends one delivery after the other.

use std::{collections::VecDeque, pin::Pin, time::Duration};

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
/// Nobody needs what a receiver says.
const ANSWER: usize = 64 * 1024;

type Sending = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Something to send.
enum Parcel {
    Told(Vec<Told>),
    Again(Box<Alert>),
}

pub(super) struct Delivery {
    settings: Webhook,
    means: Means,
    groups: Groups,
    parcels: VecDeque<Parcel>,
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
            complained: false,
            dropped: false,
        }
    }

    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut sending: Option<Sending> = None;
        loop {
            if sending.is_none() {
                sending = self.parcels.pop_front().map(|parcel| self.send(parcel, TRIES));
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
            }
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
        self.parcels.push_back(parcel);
    }

    async fn finish(&mut self, sending: Option<Sending>) {
        if let Some(sending) = sending {
            let sent = sending.await;
            self.tell(sent);
        }
        let waiting = self.groups.all();
        self.parcels.extend(waiting.into_iter().map(Parcel::Told));
        while let Some(parcel) = self.parcels.pop_front() {
            let sent = self.send(parcel, 1).await;
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

    fn send(&self, parcel: Parcel, tries: u32) -> Sending {
        let (settings, means) = (self.settings.clone(), self.means.clone());
        Box::pin(async move {
            let (told, numbers) = reserve(&settings, &means, parcel).await;
            if told.is_empty() {
                return Ok(());
            }
            Post::prepare(&settings, &means, &told).await?.deliver(&means, tries).await?;
            for number in numbers {
                means.book.delivered(vec![number], means.clock.now());
            }
            Ok(())
        })
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
        Some(sending) => sending.await,
        None => pending().await,
    }
}

/// Writes down what is about to be told, and leaves out what the log says was told.
async fn reserve(settings: &Webhook, means: &Means, parcel: Parcel) -> (Vec<Told>, Vec<i64>) {
    let channel = format!("webhook:{}", settings.name);
    let mut numbers = Vec::new();
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
    let mut told = Vec::new();
    match parcel {
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
    (told, numbers)
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
                return Err(why);
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
