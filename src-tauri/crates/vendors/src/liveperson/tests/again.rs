//! What was refused once and is not to be given up: a part whose bearer has just expired, a chat that is
//! listed still, an address that points elsewhere.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use link::poll::Trouble;

use super::{
    super::{hosts::Domain, login::Account},
    page::{ONE, Said, Stub, TWO, Way, connect, golden_but, settings_of},
    *,
};

pub(super) fn flag(set: bool) -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(set))
}

pub(super) fn count(stub: &Stub, what: &str) -> usize {
    stub.asked.lock().unwrap().iter().filter(|a| a.line.contains(what)).count()
}

pub(super) fn refused(status: u16) -> Said {
    (status, String::new(), r#"{"error":{"message":"no","internalCode":10}}"#.to_owned())
}

/// The server forgets the first bearer with the first request of this resource.
async fn forgets_at(resource: &'static str, agent_session: bool) {
    let (expire, forgotten) = (flag(false), flag(false));
    let stub = {
        let expire = expire.clone();
        golden_but(Way::default(), expire.clone(), flag(false), move |asked, _| {
            let first = asked.line.contains(resource) && asked.has("bearer b1\r\n");
            if !first || forgotten.swap(true, Ordering::SeqCst) {
                return None;
            }
            expire.store(true, Ordering::SeqCst);
            Some(refused(401))
        })
        .await
    };
    let mut settings = settings_of(&stub);
    settings.keys.insert("agent_session".to_owned(), Setting::Bool(agent_session));
    let mut config = config::read(&settings).unwrap();
    (config.list_every, config.again) = (Duration::ZERO, &[0]);
    let every = Duration::from_millis(150);
    let plans = config::plans(None, agent_session);
    let plans = plans.into_iter().map(|p| if p.optional { p } else { Plan { every, ..p } }).collect();
    let mut seen = watch(Box::new(LivePerson { config, plans }), "fake-secret");
    let named = |seen: &Watched| seen.rows.queues.get("25975313").is_some_and(|q| q.name == "Sales");
    seen.until(&format!("the names, {resource}, {agent_session}"), named).await;
    let whole: &[&str] = if agent_session { &[] } else { &["agents", "conversations"] };
    seen.until("no gap", |seen| seen.complete && seen.report.gaps == whole).await;
    assert_eq!(count(&stub, "/login?"), 2, "{resource}: one login after an expiry");
    assert!(!seen.healths.contains(&Health::Denied), "{resource}: {:?}", seen.healths);
}

#[tokio::test]
async fn a_part_that_meets_an_expired_bearer_is_asked_again_with_the_new_one() {
    tokio::join!(
        forgets_at("/le-users/skills?", true),
        forgets_at("/le-users/skills?", false),
        forgets_at("/queuestate?", true),
        forgets_at("/queuehealth?", false),
        forgets_at("/availableAgents?", true),
        forgets_at("/chatSessions?", true),
        forgets_at("/availability?", true),
    );
}

#[tokio::test]
async fn names_that_are_refused_to_a_good_bearer_cost_no_login() {
    let stub = golden_but(Way::default(), flag(false), flag(false), |asked, _| {
        asked.line.contains("/le-users/skills?").then(|| refused(401))
    })
    .await;
    let mut seen = connect(&stub);
    seen.until("the gap", |seen| seen.complete && seen.report.gaps == ["lookups"]).await;
    seen.for_a_while(Duration::from_millis(300)).await;
    assert!(seen.report.error.as_deref().unwrap().contains("names of the skills (401)"));
    assert_eq!((count(&stub, "/login?"), count(&stub, "/le-users/skills?")), (1, 1));
}

#[tokio::test]
async fn a_chat_that_was_refused_and_is_listed_still_comes_back() {
    let hidden = flag(false);
    let stub = {
        let hidden = hidden.clone();
        golden_but(Way::default(), flag(false), flag(false), move |asked, _| {
            let its = asked.line.contains("/agentSession/") && asked.line.contains(ONE);
            (its && hidden.load(Ordering::SeqCst))
                .then(|| refused(if asked.line.contains("/chat?") { 400 } else { 404 }))
        })
        .await
    };
    let mut seen = connect(&stub);
    seen.until("both", |seen| seen.rows.conversations.len() == 2).await;
    let before = seen.rows.conversations[ONE].clone();
    hidden.store(true, Ordering::SeqCst);
    seen.until("gone", |seen| !seen.rows.conversations.contains_key(ONE)).await;
    let alone = count(&stub, &format!("/chat/{ONE}/info?"));
    seen.for_a_while(Duration::from_millis(800)).await;
    assert_eq!(count(&stub, &format!("/chat/{ONE}/info?")), alone, "not asked with every list");
    assert!(seen.rows.conversations.contains_key(TWO), "the other one stays");
    hidden.store(false, Ordering::SeqCst);
    seen.until("back", |seen| seen.rows.conversations.contains_key(ONE)).await;
    assert_eq!(seen.rows.conversations[ONE], before, "with everything that happened before");
}

#[tokio::test]
async fn s11_what_is_sent_and_redirected_says_where_to() {
    for (resource, status) in [("/login?", 307), ("/login?", 302), ("/agentSession?", 308)] {
        let stub = golden_but(Way::default(), flag(false), flag(false), move |asked, _| {
            let moved = "location: https://elsewhere.example/api\r\n".to_owned();
            asked.line.contains(resource).then(|| (status, moved, String::new()))
        })
        .await;
        let mut seen = connect(&stub);
        seen.until("the sentence", |seen| seen.report.error.is_some()).await;
        let error = seen.report.error.clone().unwrap();
        let said = "redirects to elsewhere.example, where no credential is sent";
        assert!(error.contains(said), "{resource} {status}: {error}");
    }
}

/// A refusal may come from the network's address and pass; but nobody's account is locked by us.
#[tokio::test]
async fn a7_a_refused_sign_in_is_tried_three_times_and_a_locked_account_once() {
    let unauthorized = r#"{"error":{"message":"Unauthorized","internalCode":10}}"#;
    let locked = r#"{"error":{"message":"User is locked","internalCode":12}}"#;
    for (said, tries) in [(unauthorized, 3), (locked, 1)] {
        let stub = golden_but(Way::default(), flag(false), flag(false), move |asked, _| {
            asked.line.contains("/login?").then(|| (401, String::new(), said.to_owned()))
        })
        .await;
        let mut config = config::read(&settings_of(&stub)).unwrap();
        assert_eq!(config.refused, Duration::from_secs(300), "at most one try in five minutes");
        config.refused = Duration::ZERO;
        let http = link::Http::new(&config.net, Arc::new(link::SystemClock)).unwrap();
        let account = Account::new(http, config, link::Secret::new("fake-secret"));
        for turn in 1..=tries {
            let trouble = account.get(Domain::Data, &["x"], &[]).await.unwrap_err();
            let is_last = turn == tries;
            assert_eq!(matches!(trouble, Trouble::SignIn(_)), is_last, "{turn}: {trouble:?}");
            assert!(is_last || matches!(trouble, Trouble::SignInLater(_)), "{turn}: {trouble:?}");
        }
        assert_eq!(count(&stub, "/login?"), tries);
    }
    // Whoever asks too soon hears the same without a request.
    let stub = golden_but(Way::default(), flag(false), flag(false), |asked, _| {
        asked.line.contains("/login?").then(|| refused(401))
    })
    .await;
    let config = config::read(&settings_of(&stub)).unwrap();
    let http = link::Http::new(&config.net, Arc::new(link::SystemClock)).unwrap();
    let account = Account::new(http, config, link::Secret::new("fake-secret"));
    for _ in 0..4 {
        let trouble = account.get(Domain::Data, &["x"], &[]).await.unwrap_err();
        assert!(matches!(trouble, Trouble::SignInLater(_)), "{trouble:?}");
    }
    assert_eq!(count(&stub, "/login?"), 1);
}
