use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use super::*;
use crate::{Method, NetError, Phase, ws::WsError};

/// A file that the test can read while the tape is written.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);
impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const CANARY: &str = "canary-7f3a";

fn tape(text: Text) -> (Tape, Paper) {
    let paper = Paper::default();
    let at = Timestamp::from_ms(0);
    let secret = Secret::new(format!("{CANARY}-own/+"));
    let tape = Tape::begin(Box::new(paper.clone()), ("shop", "some-vendor"), &secret, text, at).unwrap();
    (tape, paper)
}

fn failed(tape: &Tape, url: &str, body: Option<(&'static str, &str)>, secrets: Vec<&Secret>) {
    let error = NetError::new("a.example", Phase::Dns);
    tape.exchange(&Exchange {
        method: &Method::POST,
        url: &Url::parse(url).unwrap(),
        body,
        secrets,
        sent_at: Timestamp::from_ms(5),
        ended_at: Timestamp::from_ms(9),
        outcome: Err(&error),
    });
}

fn heard(tape: &Tape, frame: Frame) {
    tape.socket(Timestamp::from_ms(7), &SocketEvent::Heard { line: 0, frame: &frame });
}

#[test]
fn no_credential_is_on_a_tape_in_any_form() {
    let (tape, paper) = tape(Text::Kept);
    let used = Secret::new(format!("{CANARY}-used"));
    let own = url::form_urlencoded::byte_serialize(format!("{CANARY}-own/+").as_bytes()).collect::<String>();
    let form = format!("grant_type=password&password={CANARY}-form&client_secret={CANARY}-form2");
    let login = format!(
        r#"{{"username":"anna","password":"{CANARY}-json","deep":[{{"access_token":"{CANARY}-deep"}}]}}"#
    );
    failed(
        &tape,
        &format!("https://u:{CANARY}-user@a.example/x?token=JWT%20{CANARY}-q&state={own}"),
        None,
        vec![&used],
    );
    failed(&tape, "https://a.example/token", Some(("application/x-www-form-urlencoded", &form)), vec![]);
    failed(&tape, "https://a.example/login", Some(("application/json", &login)), vec![]);
    failed(&tape, "https://a.example/odd", Some(("text/plain", &format!("hello {CANARY}-plain"))), vec![]);
    for body in [
        format!(r#"{{"csrf":"{CANARY}-csrf","bearer":"{CANARY}-bearer","sessionId":"{CANARY}-sid"}}"#),
        format!(r#"{{"echo":"{CANARY}-csrf {CANARY}-used {CANARY}-form"}}"#),
        format!(r#"{{"link":{{"@href":"https://a.example/x?csrf={CANARY}-unseen&v=1"}}}}"#),
        format!(r#"["{CANARY}-deep"]"#),
    ] {
        heard(&tape, Frame::Text(body.as_str().into()));
    }
    let told = json!({"type": "authenticate", "credentials": {"bearer_token": format!("{CANARY}-ws")}});
    tape.socket(
        Timestamp::from_ms(7),
        &SocketEvent::Sent { line: 0, message: format!("{told}\n").as_bytes() },
    );
    let text = paper.text();
    assert!(!text.contains("canary") && !text.contains("7f3a"), "{text}");
    // The same credential is the same word everywhere, so that it can be played back.
    assert!(text.contains(r#"{\"echo\":\"struck-8 struck-2 struck-3\"}"#), "{text}");
    assert!(text.contains("anna"));
}

#[test]
fn personal_text_is_replaced_by_the_same_word_everywhere() {
    let (tape, paper) = tape(Text::Masked);
    let row = r#"{"id":"51f36e1a","displayName":"Anna Smith","status":"active","text":"Hello","waitTime":"00:01:00","updatedAt":"2026-01-31T09:30:00.000Z","open":3,"x":"call me now","y":"a@b.example","url":"/P1/requests"}"#;
    heard(&tape, Frame::Text(row.into()));
    heard(&tape, Frame::Text(r#"{"nickname":"Anna Smith","name":""}"#.into()));
    let text = paper.text();
    for gone in ["Anna", "Hello", "call", "b.example"] {
        assert!(!text.contains(gone), "{text}");
    }
    for kept in
        ["51f36e1a", "active", "00:01:00", "2026-01-31T09:30:00.000Z", "/P1/requests", r#"\"name\":\"\""#]
    {
        assert!(text.contains(kept), "{kept} {text}");
    }
    let word = |key: &str| {
        let at = text.find(&format!("\\\"{key}\\\":\\\"text-")).unwrap() + key.len() + 7;
        text[at..at + 21].to_owned()
    };
    assert_eq!(word("displayName"), word("nickname"));
}

#[test]
fn one_word_under_a_key_that_nobody_foresaw_is_replaced_and_what_is_needed_stays() {
    let (tape, paper) = tape(Text::Masked);
    let gone = ["Smith", "anna1984", "Müller", "o'neil", "vip-customer", "+358401234567", "0401234567"];
    let kept = [
        "6b02507a82e6e607263319b2",
        "support-group-6b02507982e6e6072633193a-mwr7ugbu",
        "bot_6b02507a82e6e607263319b2",
        "51F36E1A-D521-43BF-A0A8-20CBADE284E4",
        "H31879676690579736-632532233958645150K8414055",
        "c69a8e10bea9428f816cfababe9815fe",
        "9007199254740993",
        "1.02:00:00",
        "2026-01-31T09:30:00+02:00",
        "0001-01-01T00:00:00Z",
        "-1",
        "40.00",
        "False",
        "/p1/requests",
        "?page=next",
    ];
    let text = |n: usize, text: &str| format!(r#""unforeseen{n}":"{text}""#);
    let mut fields: Vec<String> = gone.iter().chain(&kept).enumerate().map(|(n, t)| text(n, t)).collect();
    fields[6] = r#""mobilePhone":"0401234567""#.to_owned();
    let words = ["chatState", "start_method", "client_type", "profileStatus", "rel", "baseURI"];
    fields.extend(words.iter().map(|key| format!(r#""{key}":"word-{key}""#)));
    heard(&tape, Frame::Text(format!("{{{}}}", fields.join(",")).as_str().into()));
    let told = paper.text();
    for gone in gone {
        assert!(!told.contains(gone), "{gone} {told}");
    }
    for kept in kept.iter().map(|kept| (*kept).to_owned()).chain(words.map(|key| format!("word-{key}"))) {
        assert!(told.contains(&format!(r#"\"{kept}\""#)), "{kept} {told}");
    }
}

#[test]
fn lines_in_pieces_stand_whole() {
    let (tape, paper) = tape(Text::Kept);
    for piece in [&b"{\"token\":\"can"[..], b"ary\"}\n{\"a\"", b":1}\n{\"b\""] {
        heard(&tape, Frame::Binary(Bytes::from_static(piece)));
    }
    let text = paper.text();
    let heard: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(heard.len(), 2, "{text}");
    assert!(heard[0].contains("struck-") && heard[1].contains(r#"{\"a\":1}\n"#), "{text}");
    assert!(!text.contains("canary"));
}

#[test]
fn what_cannot_be_read_is_only_counted() {
    let (tape, paper) = tape(Text::Kept);
    failed(&tape, "https://a.example/", Some(("text/html", "<p>Anna Smith</p>")), vec![]);
    heard(&tape, Frame::Binary(Bytes::from_static(b"\xff\xfe\n")));
    // What is no data and somebody may have written.
    let (masked, masked_paper) = self::tape(Text::Masked);
    heard(&masked, Frame::Text("{\"name\":\"Anna Smith\n".into()));
    let told = masked_paper.text();
    assert!(told.contains(r#""bytes":20"#) && !told.contains("Anna"), "{told}");
    let error = WsError::Closed { host: "a.example".into(), code: 1006 };
    tape.socket(Timestamp::from_ms(8), &SocketEvent::Ended { line: 0, error: &error });
    let text = paper.text();
    assert!(
        text.contains(r#""bytes":17"#) && text.contains(r#""bytes":3"#) && !text.contains("Anna"),
        "{text}"
    );
    for line in text.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn a_tape_has_an_end() {
    let (tape, paper) = tape(Text::Kept);
    tape.reel().limit = 1000;
    for _ in 0..1000 {
        heard(&tape, Frame::Text(r#"{"a":1}"#.into()));
    }
    let text = paper.text();
    assert!(text.len() < 1200 && text.ends_with("\"full\":true}\n"), "{text}");
}
