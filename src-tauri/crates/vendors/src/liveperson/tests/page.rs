//! A server that speaks as the vendor's pages do, word for word, and knows nothing of our simulator. What
//! is sent to it is held against the pages, too: the golden conversation.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A request as it came in.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub line: String,
    head: String,
    pub body: String,
}

impl Asked {
    pub fn has(&self, header: &str) -> bool {
        self.head.to_ascii_lowercase().contains(&header.to_ascii_lowercase())
    }
}

/// What the server answers: status, more headers, body.
pub(super) type Said = (u16, String, String);

pub(super) struct Stub {
    address: String,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

pub(super) async fn stub(script: impl Fn(&Asked, &str) -> Said + Send + Sync + 'static) -> Stub {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let (script, host, log) = (Arc::new(script), address.clone(), asked.clone());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (script, host, log) = (script.clone(), host.clone(), log.clone());
            tokio::spawn(async move {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).await.is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let length = head
                    .to_ascii_lowercase()
                    .split("content-length:")
                    .nth(1)
                    .and_then(|rest| rest.split("\r\n").next()?.trim().parse::<usize>().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                if socket.read_exact(&mut body).await.is_err() {
                    return;
                }
                let line = head.lines().next().unwrap_or_default().to_owned();
                let request = Asked { line, head, body: String::from_utf8_lossy(&body).into_owned() };
                log.lock().unwrap().push(request.clone());
                let (status, headers, body) = script(&request, &host);
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                // The client may be gone already; then there is nobody to tell.
                let _ = socket.write_all(answer.as_bytes()).await;
            });
        }
    });
    Stub { address, asked }
}

const SID: &str = "1027882276";
pub(super) const ONE: &str = "H4709474615328845423-2767456311409308813K8414056";
pub(super) const TWO: &str = "H31879676690579736-632532233958645150K8414055";

pub(super) fn ok(body: impl Into<String>) -> Said {
    (200, String::new(), body.into())
}

fn fixture(name: &str) -> String {
    let path = format!("{}/src/liveperson/fixtures/page/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The vendor's sample of a login, with the host filled in.
fn login(bearer: &str) -> Said {
    let body = format!(
        r#"{{"csrf":"d5d07326cfe2240b9453e19e8092c59844921dcdc6ebb105c55fea9ed45c9d77","wsuk":"766900772095619056",
 "sessionId":"A1b2C3",
 "config":{{"loginName":"name","userId":"26663513","userPid":"11111111-2222-3333-4444-555555555555",
           "userPrivileges":[100,101,1730],"serverCurrentTime":1474549184722,"timeDiff":-25200000,
           "serverTimeZoneName":"Europe/Athens","serverTimeGMTDiff":10800000,
           "isLPA":false,"isAdmin":true,"accountTimeZoneId":"Europe/Athens"}},
 "csdsCollectionResponse":{{"baseURIs":[{{"account":"12345678","baseURI":"host","service":"agentVep"}}]}},
 "accountData":{{"agentGroupsData":{{"items":[{{"id":-1,"deleted":false,"name":"Main Group"}}],"revision":1}}}},
 "sessionTTl":"28800000","bearer":"{bearer}"}}"#
    );
    ok(body)
}

/// The events of the second chat.
fn second(from: i64) -> String {
    let all = [
        r#"{"id":0,"type":"state","time":"2015-08-30T18:06:02+03:00","state":"waiting"}"#,
        r#"{"id":1,"type":"line","time":"2015-08-30T18:07:26.903+03:00","textType":"html","text":"<div dir=\"ltr\">hi</div>","by":"You","source":"visitor","subType":"REGULAR"}"#,
    ];
    all[usize::try_from(from).unwrap().min(2)..].join(",")
}

/// Many chats as the page shows them, with the sample as the first.
fn chats(query: &str, inclusive: bool, lone: bool, more: bool) -> Said {
    let of = |name: &str| -> Vec<String> {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
        value.split(',').filter(|v| !v.is_empty()).map(str::to_owned).collect()
    };
    let (keys, ids) = (of("chatSessionKeys="), of("fromEventIds="));
    if !ids.is_empty() && ids.len() != keys.len() {
        return (400, String::new(), r#"{"error":{"message":"x","internalCode":33}}"#.to_owned());
    }
    let from = |key: &str| -> i64 {
        let place = keys.iter().position(|k| k == key);
        let last = place.and_then(|place| ids.get(place)).and_then(|id| id.parse::<i64>().ok());
        last.map_or(0, |last| if inclusive { last } else { last + 1 })
    };
    let mut sample: serde_json::Value = serde_json::from_str(&fixture("chats")).unwrap();
    let mut rows = Vec::new();
    for key in &keys {
        if key == ONE {
            let mut row = sample["chats"]["chat"][0].take();
            let first = usize::try_from(from(ONE)).unwrap();
            let events: Vec<_> =
                row["events"]["event"].as_array().unwrap().iter().skip(first).cloned().collect();
            row["events"]["event"] = events.into();
            rows.push(row);
        } else if key == TWO {
            let upto = if more { 2 } else { 1 };
            let events = format!("[{}]", second(from(TWO)));
            let mut events: Vec<serde_json::Value> = serde_json::from_str(&events).unwrap();
            events.retain(|event| event["id"].as_i64().unwrap() < upto);
            rows.push(serde_json::json!({"link": [{"href": format!("https://x/api/account/1/agentSession/2/chat/{TWO}"), "rel": "self"}],
                "events": {"event": events}, "info": {"state": "waiting", "chatSessionKey": TWO, "startTime": "2015-08-30T18:06:02.001+03:00"}}));
        }
    }
    for row in &mut rows {
        let events = row["events"]["event"].as_array().unwrap().clone();
        if events.is_empty() {
            row["events"].as_object_mut().unwrap().remove("event");
        } else if lone && events.len() == 1 {
            row["events"]["event"] = events[0].clone();
        }
    }
    ok(serde_json::json!({"chats": {"chat": rows}}).to_string())
}

/// How this server differs from itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Way {
    inclusive: bool,
    lone: bool,
}

/// The server of the golden conversation: every answer as on the vendor's pages.
async fn golden(way: Way, expire: Arc<AtomicBool>, more: Arc<AtomicBool>) -> Stub {
    golden_but(way, expire, more, |_, _| None).await
}

/// The same, where a script may answer first.
pub(super) async fn golden_but(
    way: Way,
    expire: Arc<AtomicBool>,
    more: Arc<AtomicBool>,
    first: impl Fn(&Asked, &str) -> Option<Said> + Send + Sync + 'static,
) -> Stub {
    let logins = Arc::new(AtomicUsize::new(0));
    stub(move |asked, host| {
        if let Some(said) = first(asked, host) {
            return said;
        }
        let mut words = asked.line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let account = "/api/account/12345678";
        if let Some(rest) = path.strip_prefix(&format!("{account}/service/")) {
            let service = rest.split('/').next().unwrap_or_default();
            return ok(format!(r#"{{"service":"{service}","account":"12345678","baseURI":"{host}"}}"#));
        }
        if path == format!("{account}/login") {
            let (mut status, _, body) = login(&format!("B{}", logins.fetch_add(1, Ordering::SeqCst) + 1));
            if method != "POST" {
                status = 405;
            }
            expire.store(false, Ordering::SeqCst);
            return (status, "set-cookie: Session_id=A1b2C3; Path=/\r\n".to_owned(), body);
        }
        let bearer = format!("authorization: bearer b{}\r\n", logins.load(Ordering::SeqCst));
        if expire.load(Ordering::SeqCst) || !asked.has(&bearer) {
            let text = "oauth_problem=token_rejected&oauth_problem_advice=the oauth_token is unacceptable to the Service Provider";
            return (401, String::new(), text.to_owned());
        }
        let session = format!("{account}/agentSession/{SID}");
        match (method, path.trim_start_matches(&session)) {
            ("POST", p) if p == format!("{account}/agentSession") => {
                let href = format!("https://{host}{session}");
                (201, format!("set-cookie: lpas{SID}=x; Path={session}\r\n"), format!(
                    r#"{{"agentSessionLocation":{{"link":{{"@href":"{href}","@rel":"location"}}}}}}"#
                ))
            }
            ("POST", "/availability") => ok(""),
            ("GET", "/availability") => ok(r#"{"availability":{"chat":"Away","voice":"Offline"}}"#),
            ("GET", "/availableAgents") => ok(fixture("agents")),
            ("GET", "/chatSessions") => ok(format!(
                r#"{{"chatSessions":{{"chatSession":[{{"link":{{"href":"https://{{domain}}/api/account/{{accountId}}/agentSession/{{sid}}/chat/{TWO}","rel":"chat-session"}},"chatSessionKey":"{TWO}","startTime":1440934609097}},
                {{"link":{{"href":"https://{{domain}}/x/chat/{ONE}","rel":"chat-session"}},"chatSessionKey":"{ONE}","startTime":1440934609097}}]}}}}"#
            )),
            ("GET", "/chat") => chats(query, way.inclusive, way.lone, more.load(Ordering::SeqCst)),
            ("GET", "/operations/api/account/12345678/queuestate") => ok(fixture("queuestate")),
            ("GET", "/operations/api/account/12345678/queuehealth") => ok(fixture("queuehealth")),
            ("GET", p) if p.ends_with("/configuration/le-users/skills") => {
                ok(r#"[{"id":25975313,"name":"Sales","deleted":false},{"id":-1,"name":"Unassigned"}]"#)
            }
            ("POST", p) if p.ends_with("/logout") || p.ends_with("/refresh") => ok(""),
            _ => (404, String::new(), r#"{"error":{"message":"Not found","internalCode":12}}"#.to_owned()),
        }
    })
    .await
}

pub(super) fn settings_of(stub: &Stub) -> SourceSettings {
    SourceSettings {
        id: "test".into(),
        name: "LP".into(),
        vendor: V,
        url: Some(format!("http://{}", stub.address)),
        enabled: true,
        ca_file: None,
        proxy: None,
        poll: None,
        secret_env: None,
        console_url: None,
        keys: [
            ("account".to_owned(), Setting::Text("12345678".into())),
            ("username".to_owned(), Setting::Text("supervisor1".into())),
        ]
        .into(),
    }
}

pub(super) fn connect(stub: &Stub) -> Watched {
    let mut config = config::read(&settings_of(stub)).unwrap();
    (config.list_every, config.again) = (Duration::ZERO, &[0]);
    let every = Duration::from_millis(150);
    let plans = config::plans(None, true);
    let plans = plans.into_iter().map(|p| if p.optional { p } else { Plan { every, ..p } }).collect();
    watch(Box::new(LivePerson { config, plans }), "fake-secret")
}

#[tokio::test]
async fn the_golden_conversation_of_the_pages() {
    for way in [
        Way::default(),
        Way { lone: true, ..Way::default() },
        Way { inclusive: true, ..Way::default() },
        Way { inclusive: true, lone: true },
    ] {
        let (expire, more) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let stub = golden(way, expire.clone(), more.clone()).await;
        let mut seen = connect(&stub);
        seen.live().await;
        assert!(seen.report.gaps.is_empty(), "{:?}", seen.report);
        // Agents: a list of skills, a lone one, none.
        let agent = |id: &str| seen.rows.agents[id].clone();
        assert_eq!(agent("25025413").queues.unwrap().len(), 2);
        assert_eq!(agent("26559413").queues.unwrap().len(), 1);
        assert_eq!(agent("26663513").queues, Some(vec![]));
        assert_eq!((agent("25025413").open, agent("26559413").open), (Some(2), None), "missing is unknown");
        assert_eq!(agent("26663513").presence, Presence::Away, "our own user, though the list is late");
        // A skill without data is known and nothing of it is.
        assert_eq!((seen.rows.queues["100"].waiting, seen.rows.queues["100"].free_capacity), (None, None));
        assert_eq!(seen.rows.queues["4"].waiting, Some(0));
        assert_eq!(seen.rows.queues["25975313"].name, "Sales");
        let chat = |seen: &Watched, key: &str| seen.rows.conversations[key].clone();
        let one = chat(&seen, ONE);
        assert_eq!(one.answered_at.unwrap().seconds_since(one.waiting_since.unwrap()), 84.902);
        assert_eq!(chat(&seen, TWO).state, ConversationState::Waiting);
        assert_eq!(chat(&seen, TWO).last_customer_message_at, None);
        // One more event in the second, none in the first.
        more.store(true, Ordering::SeqCst);
        seen.until("the new line", |seen| seen.rows.conversations[TWO].last_customer_message_at.is_some())
            .await;
        assert_eq!(chat(&seen, ONE), one, "nothing new is nothing new");
        // The bearer expires: one login, one session, Away again.
        let count =
            |what: &str| stub.asked.lock().unwrap().iter().filter(|a| a.line.starts_with(what)).count();
        let (logins, sessions) =
            ("POST /api/account/12345678/login", "POST /api/account/12345678/agentSession?");
        assert_eq!((count(logins), count(sessions)), (1, 1));
        expire.store(true, Ordering::SeqCst);
        let end = tokio::time::Instant::now() + Duration::from_secs(120);
        let before = seen.row_changes;
        while count(sessions) < 2 || seen.report.health != Health::Live {
            assert!(tokio::time::Instant::now() < end, "{:?}", seen.report);
            seen.for_a_while(Duration::from_millis(100)).await;
        }
        seen.for_a_while(Duration::from_millis(400)).await;
        assert_eq!((count(logins), count(sessions)), (2, 2), "one login, however many asked");
        assert_eq!(seen.row_changes, before, "and no event of it");
        assert_what_was_sent(&stub.asked.lock().unwrap());
    }
}

/// Every request as the pages want it.
fn assert_what_was_sent(asked: &[Asked]) {
    let lines: Vec<&str> = asked.iter().map(|a| a.line.as_str()).collect();
    assert_eq!(lines[0], "GET /api/account/12345678/service/agentVep/baseURI.json?version=1.0 HTTP/1.1");
    assert_eq!(lines[1], "POST /api/account/12345678/login?v=1.3 HTTP/1.1");
    assert!(!asked[0].has("authorization:") && !asked[1].has("authorization:"));
    let sent: serde_json::Value = serde_json::from_str(&asked[1].body).unwrap();
    assert_eq!(sent, serde_json::json!({"username": "supervisor1", "password": "fake-secret"}));
    let opened = lines.iter().position(|l| l.contains("/agentSession?")).unwrap();
    assert_eq!(lines[opened], "POST /api/account/12345678/agentSession?v=1&NC=true HTTP/1.1");
    assert_eq!(asked[opened].body, r#"{"loginData":""}"#);
    let in_session: Vec<&Asked> =
        asked[opened + 1..].iter().filter(|a| a.line.contains(&format!("/agentSession/{SID}/"))).collect();
    // Nothing is asked of a session before its user is Away.
    let away = format!("POST /api/account/12345678/agentSession/{SID}/availability?v=1&NC=true HTTP/1.1");
    assert_eq!(in_session[0].line, away);
    assert!(in_session[0].has("x-http-method-override: put"));
    assert_eq!(in_session[0].body, r#"{"availability":{"chat":"Away"}}"#);
    assert!(in_session[1].line.starts_with("GET") && in_session[1].line.contains("/availability?"));
    for request in asked.iter().filter(|a| !a.line.contains("/service/") && !a.line.contains("/login?")) {
        assert!(request.has("authorization: bearer b"), "{}", request.line);
        assert!(
            !request.line.contains("incomingRequests") && !request.line.contains("/events?v"),
            "{}",
            request.line
        );
        assert_eq!(request.line.starts_with("POST"), !request.body.is_empty(), "{}", request.line);
    }
    for request in &in_session {
        assert!(request.has("content-type: application/json") && request.has("accept: application/json"));
        assert!(request.line.contains("v=1&NC=true"), "{}", request.line);
        assert!(
            request.has(&format!("cookie: lpas{SID}=x")) && !request.has("Session_id"),
            "{}",
            request.line
        );
    }
    // Never a number that was not held: at first none, then the last ones, as many as keys.
    let many: Vec<&&Asked> = in_session.iter().filter(|a| a.line.contains("/chat?")).collect();
    assert!(!many[0].line.contains("fromEventIds") && many[0].line.contains(&format!("{TWO},{ONE}")));
    assert!(many[1].line.contains("fromEventIds=0,4&"), "{}", many[1].line);
    let figures =
        |what: &str| lines.iter().find(|l| l.contains(what)).copied().unwrap_or_default().to_owned();
    assert!(figures("/queuestate?").contains("v=2&skillIds=all"), "{}", figures("/queuestate?"));
    assert!(
        figures("/queuehealth?").contains("timeframe=30&v=1&skillIds=all"),
        "{}",
        figures("/queuehealth?")
    );
}

#[tokio::test]
async fn the_list_of_own_chats_is_left_alone_for_two_seconds() {
    let times: Arc<Mutex<Vec<std::time::Instant>>> = Arc::default();
    let log = times.clone();
    let stub = stub(move |asked, host| {
        let target = asked.line.split(' ').nth(1).unwrap_or_default();
        if target.contains("/chatSessions?") {
            log.lock().unwrap().push(std::time::Instant::now());
            return ok(r#"{"chatSessions":{}}"#);
        }
        let session = format!("/api/account/12345678/agentSession/{SID}");
        if target.contains("/service/") {
            ok(format!(r#"{{"service":"x","account":"12345678","baseURI":"{host}"}}"#))
        } else if target.contains("/login?") {
            login("B1")
        } else if target.contains("/agentSession?") {
            (201, format!("location: http://{host}{session}\r\n"), String::new())
        } else if target.contains("/availableAgents?") {
            ok(fixture("agents"))
        } else if target.contains("/queuestate?") {
            ok(fixture("queuestate"))
        } else if target.contains("/queuehealth?") {
            ok(fixture("queuehealth"))
        } else {
            ok("[]")
        }
    })
    .await;
    let mut config = config::read(&settings_of(&stub)).unwrap();
    config.again = &[0];
    let every = Duration::from_millis(150);
    let plans = config::plans(None, true).into_iter().map(|p| Plan { every, ..p }).collect();
    let mut seen = watch(Box::new(LivePerson { config, plans }), "fake-secret");
    seen.live().await;
    let end = tokio::time::Instant::now() + Duration::from_secs(120);
    while times.lock().unwrap().len() < 2 {
        assert!(tokio::time::Instant::now() < end, "{:?}", seen.report);
        seen.for_a_while(Duration::from_millis(100)).await;
    }
    // Leaving does not ask again so soon; the last word was that there are none.
    drop(seen);
    let out = |asked: &Stub| asked.asked.lock().unwrap().iter().any(|a| a.line.contains("/logout?"));
    while !out(&stub) {
        assert!(tokio::time::Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let times = times.lock().unwrap();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(1900)), "{times:?}");
}

#[tokio::test]
async fn s11_a_redirect_to_another_origin_carries_nothing_there() {
    let stranger = stub(|_, _| ok("{}")).await;
    for moved in
        ["/service/", "/login?", "/agentSession?", "/availability?", "/availableAgents?", "/queuestate?"]
    {
        let elsewhere = format!("location: http://{}/api\r\n", stranger.address);
        let never = Arc::new(AtomicBool::new(false));
        let pages = golden(Way::default(), never.clone(), never).await;
        let home = pages.address.clone();
        let status = if moved == "/login?" { 307 } else { 302 };
        let front = stub(move |asked, host| {
            let target = asked.line.split(' ').nth(1).unwrap_or_default();
            if target.contains(moved) {
                return (status, elsewhere.clone(), String::new());
            }
            if target.contains("/service/") {
                return ok(format!(r#"{{"service":"x","account":"12345678","baseURI":"{host}"}}"#));
            }
            if target.contains("/login?") {
                return login("B1");
            }
            if target.contains("/agentSession?") {
                let href = format!("http://{home}/api/account/12345678/agentSession/{SID}");
                return (
                    201,
                    String::new(),
                    format!(r#"{{"agentSessionLocation":{{"link":{{"@href":"{href}"}}}}}}"#),
                );
            }
            ok("{}")
        })
        .await;
        let mut seen = connect(&front);
        seen.for_a_while(Duration::from_millis(700)).await;
        assert!(stranger.asked.lock().unwrap().is_empty(), "{moved}");
        assert!(pages.asked.lock().unwrap().is_empty(), "a session's address is no way to another host");
        assert!(!format!("{:?}", seen.report).contains("fake-secret"));
    }
}
