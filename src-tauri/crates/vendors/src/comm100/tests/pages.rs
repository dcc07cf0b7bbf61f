//! Reading pages and sorting answers, against a server that does exactly what it is told.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use link::{
    Http, NetOptions, Secret, SystemClock,
    poll::{Ask, Good, Share, Trouble},
};

use crate::{
    comm100::{
        AGENTS, LOOKUPS, QUEUE, RIGHTNOW, TODAY,
        auth::Identity,
        rest::{Answer, Comm100Ask},
    },
    testing::serve,
};

async fn ask(script: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Comm100Ask {
    let base = serve(script).await;
    let clock = Arc::new(SystemClock);
    let http = Http::new(&NetOptions::default(), clock.clone()).unwrap();
    let identity = Identity::Key { email: "supervisor@example.test".into() };
    let budget = Arc::new(Share::alone(1000, Duration::from_secs(300)));
    Comm100Ask::new(http, base, 10_000, identity, Secret::new("fake-key"), budget, clock)
}

/// Page `page` of `ids`, so many a page, in the vendor's envelope.
fn page(ids: &[&str], page: usize, size: usize, total: usize) -> String {
    let rows: Vec<String> = ids.iter().map(|id| format!(r#"{{"agentId":"{id}"}}"#)).collect();
    let pages = total.div_ceil(size);
    format!(
        r#"{{"total":{total},"pageCount":{pages},"list":[{}],"pageIndex":{page},"pageSize":{size}}}"#,
        rows.join(",")
    )
}

fn number(path: &str) -> usize {
    let after = path.split("pageIndex=").nth(1).unwrap();
    after.split('&').next().unwrap().parse().unwrap()
}

fn agents(good: Good<Answer>) -> (Vec<String>, bool, Option<String>) {
    match good.answer {
        Some(Answer::Agents { pages, whole }) => {
            let rows = pages.iter().flat_map(|page| page.rows.iter().flatten());
            let mut ids: Vec<String> = rows.filter_map(|row| row.agent.0.clone()).collect();
            ids.sort();
            ids.dedup();
            (ids, whole, good.partial)
        }
        _ => panic!("agents were meant"),
    }
}

#[tokio::test]
async fn p7_a_page_that_fails_twice_makes_the_poll_partial() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let ask = ask(move |path| match number(path) {
        2 => {
            counted.fetch_add(1, SeqCst);
            (500, "{}".into())
        }
        n => (200, page(&["a", "b"], n, 2, 6)),
    })
    .await;
    let (ids, whole, partial) = agents(ask.ask(AGENTS).await.unwrap());
    assert_eq!((ids, whole, tries.load(SeqCst)), (vec!["a".into(), "b".into()], false, 2));
    assert!(partial.unwrap().contains("500"));
}

#[tokio::test]
async fn p7_a_page_that_fails_once_is_read_again() {
    let tries = AtomicUsize::new(0);
    let ask = ask(move |path| match number(path) {
        2 if tries.fetch_add(1, SeqCst) == 0 => (200, "{\"total\":".into()),
        2 => (200, page(&["c"], 2, 2, 3)),
        n => (200, page(&["a", "b"], n, 2, 3)),
    })
    .await;
    let (ids, whole, partial) = agents(ask.ask(AGENTS).await.unwrap());
    assert_eq!((ids.len(), whole, partial), (3, true, None));
}

#[tokio::test]
async fn p8_a_row_that_moves_between_pages_is_found_by_a_second_pass() {
    // First pass: `c` slips from page 2 to page 1 after page 1 was read.
    let asked = AtomicUsize::new(0);
    let ask = ask(move |path| {
        let first = asked.fetch_add(1, SeqCst) < 2;
        match (number(path), first) {
            (1, true) => (200, page(&["a", "b"], 1, 2, 4)),
            (1, false) => (200, page(&["a", "c"], 1, 2, 4)),
            (_, _) => (200, page(&["b", "d"], 2, 2, 4)),
        }
    })
    .await;
    let (ids, whole, partial) = agents(ask.ask(AGENTS).await.unwrap());
    assert_eq!((ids, whole, partial), (["a", "b", "c", "d"].map(String::from).to_vec(), true, None));
}

#[tokio::test]
async fn p7_fewer_rows_than_the_total_is_partial_and_says_so() {
    let ask = ask(|path| (200, page(&["a", "b"], number(path), 5, 3))).await;
    let (ids, whole, partial) = agents(ask.ask(AGENTS).await.unwrap());
    assert_eq!((ids.len(), whole), (2, false));
    assert!(partial.unwrap().contains("2 of 3"));
}

#[tokio::test]
async fn d4_a_server_that_ignores_paging_is_partial_after_two_requests() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let ask = ask(move |_| {
        counted.fetch_add(1, SeqCst);
        (200, page(&["a", "b"], 1, 2, 6))
    })
    .await;
    let (ids, whole, _) = agents(ask.ask(AGENTS).await.unwrap());
    assert_eq!((ids.len(), whole, asked.load(SeqCst)), (2, false, 2));
}

#[tokio::test]
async fn d4_pages_that_are_all_the_same_are_partial_though_no_total_says_so() {
    for index in [r#","pageIndex":1"#, ""] {
        let body = format!(r#"{{"pageCount":4,"list":[{{"agentId":"a"}},{{"agentId":"b"}}]{index}}}"#);
        let ask = ask(move |_| (200, body.clone())).await;
        let (ids, whole, partial) = agents(ask.ask(AGENTS).await.unwrap());
        assert_eq!((ids.len(), whole), (2, false));
        assert!(partial.unwrap().contains("the same 2 agents"));
    }
}

#[tokio::test]
async fn pages_never_end_in_a_circle() {
    for endless in [
        // Always one more page.
        |n: usize| format!(r#"{{"pageCount":{},"list":[{{"agentId":"x{n}"}}],"pageIndex":{n}}}"#, n + 1),
        // Empty at once, many promised.
        |n: usize| format!(r#"{{"pageCount":1000000,"list":[],"pageIndex":{n}}}"#),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let ask = ask(move |path| {
            counted.fetch_add(1, SeqCst);
            (200, endless(number(path)))
        })
        .await;
        ask.ask(AGENTS).await.unwrap();
        assert!(asked.load(SeqCst) <= 50, "{}", asked.load(SeqCst));
    }
}

#[tokio::test]
async fn the_same_bodies_are_no_news() {
    let bodies = Arc::new(Mutex::new("[]".to_owned()));
    let said = bodies.clone();
    let ask = ask(move |_| (200, said.lock().unwrap().clone())).await;
    for (body, news) in [("[]", true), ("[]", false), ("[{}]", true), ("[{}]", false), ("[]", true)] {
        *bodies.lock().unwrap() = body.into();
        assert_eq!(ask.ask(QUEUE).await.unwrap().answer.is_some(), news, "{body}");
        assert_eq!(ask.ask(AGENTS).await.unwrap().answer.is_some(), news, "{body}");
    }
}

#[tokio::test]
async fn d8_every_answer_is_sorted_without_reading_its_words_to_people() {
    let said = Arc::new(Mutex::new((200, String::new())));
    let script = said.clone();
    let ask = ask(move |_| script.lock().unwrap().clone()).await;
    let secret = "fake-secret-in-a-body";
    for (status, body, expected) in [
        (200, "", "broken"),
        (200, "{}", "broken"),
        (200, "{\"code\":403000,\"message\":\"fake-secret-in-a-body\"}", "broken"),
        (200, "<html>fake-secret-in-a-body</html>", "broken for long"),
        (200, "{\"message\":\"API rate limit exceeded\"}", "throttled"),
        (204, "", "broken for long"),
        (206, "[]", "broken for long"),
        (302, "", "broken for long"),
        (304, "", "broken for long"),
        (400, "{\"code\":400000,\"message\":\"fake-secret-in-a-body\"}", "broken for long"),
        (400, "{\"title\":\"One or more validation errors occurred.\",\"status\":400}", "broken for long"),
        (400, "{\"message\":\"Too many requests\"}", "throttled"),
        (401, "{\"code\":401000,\"message\":\"fake-secret-in-a-body\"}", "credentials"),
        (401, "", "credentials"),
        (403, "{\"code\":403000,\"message\":\"no\"}", "refused"),
        (403, "<html>blocked by WAF fake-secret-in-a-body</html>", "refused"),
        (403, "{\"code\":403000,\"message\":\"the daily number of requests exceeded\"}", "throttled"),
        (404, "", "broken for long"),
        (406, "<html></html>", "broken for long"),
        (429, "", "throttled"),
        (500, "{\"code\":500000}", "broken"),
        (502, "<html>bad gateway</html>", "broken"),
        (503, "", "broken"),
    ] {
        *said.lock().unwrap() = (status, body.to_owned());
        for endpoint in [RIGHTNOW, QUEUE, AGENTS, TODAY] {
            let (kind, sentence) = match ask.ask(endpoint).await.err().expect("no data") {
                Trouble::Broken { soon: true, sentence } => ("broken", sentence),
                Trouble::Broken { soon: false, sentence } => ("broken for long", sentence),
                Trouble::Refused { credentials: true, sentence } => ("credentials", sentence),
                Trouble::Refused { credentials: false, sentence } => ("refused", sentence),
                Trouble::Throttled { sentence, .. } => ("throttled", sentence),
                other => panic!("{status} {body}: {other:?}"),
            };
            assert_eq!(kind, expected, "{status} {body}");
            let words = |words: &str| sentence.contains(words);
            assert_eq!(words("accepted the request") && words("sent nothing"), status == 204, "{sentence}");
            assert_eq!(words("nothing at the address of"), status == 404, "{sentence}");
            assert!(sentence.contains("Comm100") && !sentence.contains(secret), "{sentence}");
            assert!(!sentence.contains("fake-key"), "{sentence}");
        }
    }
}

#[tokio::test]
async fn members_are_asked_of_the_people_when_departments_are_refused() {
    let ask = ask(|path| match path.split('?').next().unwrap() {
        "/global/agents" => (200, r#"{"agents":[{"id":"A1","departmentIds":["D1"],"email":"x"}]}"#.into()),
        _ => (403, "{}".into()),
    })
    .await;
    let good = ask.ask(LOOKUPS).await.unwrap();
    let Some(Answer::LookUps(look_ups)) = good.answer else { panic!("look-ups were meant") };
    let people = look_ups.people.unwrap();
    let person = &people[0].rows.as_ref().unwrap()[0];
    assert_eq!(person.agent.0.as_deref(), Some("A1"));
    assert!(good.partial.unwrap().contains("departments, away statuses, limits"));
}

#[tokio::test]
async fn d2_the_vendors_day_is_asked_for_and_the_site_is_named() {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let kept = paths.clone();
    let ask = ask(move |path| {
        kept.lock().unwrap().push(path.to_ascii_lowercase());
        (200, "[]".into())
    })
    .await;
    for endpoint in [RIGHTNOW, QUEUE, AGENTS, TODAY, LOOKUPS] {
        // Whether the answer is any good is not the question here.
        let _ = ask.ask(endpoint).await;
    }
    let paths = paths.lock().unwrap().clone();
    assert!(paths.len() >= 7, "{paths:?}");
    for path in &paths {
        assert!(path.contains("siteid=10000"), "{path}");
        for never in ["utcoffset", "starttime", "endtime", "fake-key"] {
            assert!(!path.contains(never), "{path}");
        }
    }
}

#[tokio::test]
async fn d4_where_only_the_total_is_told_pages_are_read_until_it_is_reached() {
    let ask = ask(|path| {
        let ids = [["a", "b"], ["c", "d"]];
        let rows =
            ids.get(number(path) - 1).map(|ids| ids.map(|id| format!(r#"{{"agentId":"{id}"}}"#)).join(","));
        (200, format!(r#"{{"total":4,"list":[{}]}}"#, rows.unwrap_or_default()))
    })
    .await;
    let (ids, whole, partial) = agents(ask.ask(AGENTS).await.unwrap());
    assert_eq!((ids.len(), whole, partial), (4, true, None));
}

#[tokio::test]
async fn members_are_asked_of_the_people_when_departments_do_not_name_them() {
    let ask = ask(|path| match path.split('?').next().unwrap() {
        "/global/departments" => (200, r#"[{"id":"D1","name":"Billing"}]"#.into()),
        "/global/agents" => (200, r#"[{"id":"A1","departmentIds":["D1"]}]"#.into()),
        _ => (200, "[]".into()),
    })
    .await;
    let good = ask.ask(LOOKUPS).await.unwrap();
    let Some(Answer::LookUps(look_ups)) = good.answer else { panic!("look-ups were meant") };
    assert!(look_ups.departments.is_some() && look_ups.people.is_some());
}
