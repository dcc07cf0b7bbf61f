//! A tiny WebDriver client: the real window, looked at and used as a person would.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::{Desk, Running, until};

/// How long the page may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// One window under control.
pub struct Window {
    port: u16,
    session: String,
    driver: Running,
}

impl Window {
    /// Starts the driver, and through it the app with these words.
    pub fn open(desk: &Desk, app: &mut Command) -> Self {
        let port =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
        let mut driver = desk.command("WebKitWebDriver");
        driver.arg(format!("--port={port}")).stdout(Stdio::null());
        // The app inherits the driver's surroundings, so what it needs is given to the driver.
        driver.env("TAURI_AUTOMATION", "true").env("TAURI_WEBVIEW_AUTOMATION", "true");
        for (name, value) in app.get_envs() {
            match value {
                Some(value) => driver.env(name, value),
                None => driver.env_remove(name),
            };
        }
        let driver = desk.start(&mut driver);
        until("the driver listens", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok());
        let args: Vec<_> = app.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let options = json!({ "binary": app.get_program().to_string_lossy(), "args": args });
        let wish = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let mut window = Self { port, session: String::new(), driver };
        let started = window.http("POST", "/session", Some(&wish));
        window.session =
            started["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {started}")).to_owned();
        window
    }

    /// Kills the app as a power cut would; the driver is of no use afterwards.
    pub fn kill_app(self) {
        for child in children(self.driver.id()) {
            let _ = Command::new("kill").args(["-KILL", &child.to_string()]).status();
        }
    }

    /// The value of a script's `return`.
    pub fn script(&self, body: &str) -> Value {
        self.call("POST", "/execute/sync", Some(&json!({ "script": body, "args": [] })))
    }

    /// The page's visible text.
    pub fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Waits for an element, by CSS.
    pub fn find(&self, css: &str) -> String {
        until(&format!("`{css}` is on the page"), PATIENCE, || self.find_now(css))
    }

    /// An element, if it is there now.
    pub fn find_now(&self, css: &str) -> Option<String> {
        let found = self.call("POST", "/element", Some(&json!({ "using": "css selector", "value": css })));
        let (_, id) = found.as_object()?.iter().find(|(key, _)| key.starts_with("element-"))?;
        id.as_str().map(str::to_owned)
    }

    /// Clicks what the selector finds.
    pub fn click(&self, css: &str) {
        let element = self.find(css);
        let done = self.call("POST", &format!("/element/{element}/click"), Some(&json!({})));
        assert!(done.is_null(), "`{css}` can be clicked: {done}");
    }

    /// Replaces what stands in a field.
    pub fn fill(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.call("POST", &format!("/element/{element}/clear"), Some(&json!({})));
        let done = self.call("POST", &format!("/element/{element}/value"), Some(&json!({ "text": text })));
        assert!(done.is_null(), "`{css}` can be filled: {done}");
    }

    /// Waits until the page's text holds all of these.
    pub fn says(&self, words: &[&str]) -> String {
        let mut last = String::new();
        let end = std::time::Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if words.iter().all(|w| text.contains(w)) {
                return text;
            }
            assert!(
                std::time::Instant::now() < end,
                "the page never said {words:?}; it says:\n{text}\n(before: {last})"
            );
            last = text;
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A picture of the page.
    pub fn photograph(&self, to: &Path) {
        let picture = self.call("GET", "/screenshot", None);
        let bytes = decoded(picture.as_str().unwrap_or_default());
        assert!(bytes.starts_with(b"\x89PNG"), "a screenshot");
        fs::write(to, bytes).expect("the screenshot can be written");
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        self.http(method, &format!("/session/{}{path}", self.session), body)
    }

    /// One request; the answer's `value`.
    fn http(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        stream.write_all(request.as_bytes()).expect("the driver reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the driver answers");
        let answer = String::from_utf8_lossy(&answer);
        let (_, content) = answer.split_once("\r\n\r\n").expect("an answer with a body");
        let mut parsed: Value = serde_json::from_str(content).unwrap_or_else(|e| panic!("{e}: {content}"));
        parsed["value"].take()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // Ends the app too; a driver that is gone has ended it already.
            for child in children(self.driver.id()) {
                let _ =
                    Command::new("kill").args(["-TERM", &child.to_string()]).stderr(Stdio::null()).status();
            }
        }
    }
}

/// Direct children of a process.
fn children(parent: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|n| n.parse().ok()).collect()
}

/// Base64 with padding, as the driver writes pictures.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut kept, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        kept = kept << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((kept >> bits & 0xFF) as u8);
        }
    }
    bytes
}
