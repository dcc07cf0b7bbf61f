//! The people of the play: what they do over the server's REST API.

use std::sync::Arc;

use link::{Auth, Http, Method, NetOptions, Request, Secret, SystemClock};
use serde_json::{Value, json};
use url::Url;

/// The stage.
pub struct Stage {
    pub base: Url,
    http: Http,
    /// Makes names unique between runs on one server.
    pub run: String,
}

/// Somebody signed in.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub password: String,
    pub token: Secret,
}

impl Stage {
    pub fn new(base: &str) -> Self {
        let http = Http::new(&NetOptions::default(), Arc::new(SystemClock)).expect("client");
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock");
        Self { base: base.parse().expect("address"), http, run: format!("{:x}", since.as_nanos()) }
    }

    pub async fn call(
        &self,
        method: Method,
        path: &str,
        who: Option<&Person>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = Request::new(method, self.base.join(path).expect("path"));
        if let Some(who) = who {
            request = request.auth(Auth::Token { scheme: "JWT", token: who.token.clone() });
        }
        if let Some(body) = body {
            request = request.json(body.to_string());
        }
        let answer = self.http.send(request).await.expect("server answers");
        (answer.status, answer.json().unwrap_or(Value::Null))
    }

    pub async fn good(&self, method: Method, path: &str, who: Option<&Person>, body: Option<Value>) -> Value {
        let (status, value) = self.call(method.clone(), path, who, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {value}");
        value
    }

    pub async fn sign_up(&self, first: &str, last: &str, n: u32) -> Person {
        let email = format!("{}.{}@example.test", first.to_lowercase(), self.run);
        let password = format!("fake-password-{n}");
        let digits: String = self
            .run
            .chars()
            .filter_map(|c| c.to_digit(16))
            .map(|d| (b'0' + (d % 10) as u8) as char)
            .collect();
        let phone = format!("+39{}{n:02}", &digits[digits.len() - 9..]);
        let user = json!({"email": email, "password": password, "firstname": first, "lastname": last, "phone": phone});
        self.good(Method::POST, "/auth/signup", None, Some(user)).await;
        let signed = self
            .good(Method::POST, "/auth/signin", None, Some(json!({"email": email, "password": password})))
            .await;
        let token = signed["token"].as_str().expect("token").trim_start_matches("JWT ").to_owned();
        Person { id: text(&signed["user"]["_id"]), email, password, token: Secret::new(token) }
    }

    pub async fn visitor(&self, project: &str, name: &str) -> Person {
        let email = format!("{}.{}@example.test", name.to_lowercase(), self.run);
        let body = json!({"id_project": project, "firstname": name, "email": email});
        let signed = self.good(Method::POST, "/auth/signinAnonymously", None, Some(body)).await;
        let token = signed["token"].as_str().expect("token").trim_start_matches("JWT ").to_owned();
        Person { id: text(&signed["user"]["_id"]), email, password: String::new(), token: Secret::new(token) }
    }

    /// A visitor's first message begins a conversation; returns its id.
    pub async fn writes(&self, project: &str, who: &Person, n: u32, department: &str) -> String {
        let id = format!("support-group-{project}-{}{n:04}", self.run);
        let body = json!({"text": "Hello, I need help", "departmentid": department});
        self.good(Method::POST, &format!("/{project}/requests/{id}/messages"), Some(who), Some(body)).await;
        id
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("text expected, got {value}")).to_owned()
}
