//! REST: sign-in, and what a supervisor reads.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::{ConversationState, Vendor};
use serde_json::{Value, json};

use super::{
    PingstreamsServer,
    account::{self, Account},
    documents::{PROJECT_LIMIT, Shape, request_id, status},
    token::{self, Claim},
};
use crate::{
    floor::{Centre, Contact, ContactNo},
    ids::number,
};

fn answer(code: u16, value: &Value) -> Response {
    let mut answer = Response::new(Body::from(value.to_string()));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}
fn refuse(code: u16, msg: &str) -> Response {
    answer(code, &json!({"success": false, "msg": msg}))
}
fn unauthorized() -> Response {
    let mut answer = Response::new(Body::from("Unauthorized"));
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    answer
}

type Query = Vec<(String, String)>;

fn param<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
}

impl PingstreamsServer {
    pub(super) async fn rest(self: Arc<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let Some(path) = path.strip_prefix(self.dialect.rest_prefix.as_str()) else {
            return refuse(404, "Not found.");
        };
        let pieces: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        if parts.method == Method::POST {
            let body = axum::body::to_bytes(body, 512_000).await.unwrap_or_default();
            let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            return match pieces[..] {
                ["auth", "signin"] => self.sign_in(&body),
                ["auth", "signinAnonymously"] => {
                    let (token, id) = self.tokens.issue_guest(&self.wire);
                    answer(
                        200,
                        &json!({"success": true, "token": format!("JWT {token}"), "user": {"_id": id}}),
                    )
                }
                _ => refuse(404, "Not found."),
            };
        }
        if parts.method != Method::GET {
            return refuse(404, "Not found.");
        }
        let query: Query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        self.read(&pieces, &query, &parts.headers)
    }

    fn sign_in(&self, body: &Value) -> Response {
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let (email, password) = (text("email"), text("password"));
        let wrong = |value: &str, name: &str| json!({"value": value, "msg": "Invalid value", "param": name, "location": "body"});
        let mut errors = Vec::new();
        if !email.contains('@') {
            errors.push(wrong(email, "email"));
        }
        if password.is_empty() {
            errors.push(wrong(password, "password"));
        }
        if !errors.is_empty() {
            return answer(422, &json!({"errors": errors}));
        }
        let Some(account) = self.stage.look(|floor| account::find_by_email(floor, email)) else {
            return refuse(401, "Authentication failed. User not found.");
        };
        if !self.wire.is_secret(password) {
            return refuse(401, "Authentication failed. Wrong password.");
        }
        let token = self.tokens.issue(&self.wire, &self.dialect, &account);
        let user = json!({
            "_id": account.user, "email": account.email, "firstname": account.first, "lastname": account.last,
            "emailverified": false,
        });
        answer(200, &json!({"success": true, "token": format!("JWT {token}"), "user": user}))
    }

    /// Who asks; the refusal is the server's own.
    fn caller(&self, floor: &Centre, headers: &HeaderMap) -> Result<Account, Response> {
        let offered = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if offered.is_empty() {
            return Err(unauthorized());
        }
        let Some((scheme, rest)) = offered.split_once(' ') else {
            let mut bad = Response::new(Body::from("Bad Request"));
            *bad.status_mut() = StatusCode::BAD_REQUEST;
            return Err(bad);
        };
        let account = match scheme {
            "JWT" => match token::read(&self.wire, rest.trim()) {
                Claim::User(user) => account::find_by_user(floor, &user),
                Claim::Guest | Claim::Bad => None,
            },
            "Basic" => {
                let pair = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                pair.as_deref().and_then(|p| p.split_once(':')).and_then(|(email, password)| {
                    account::find_by_email(floor, email).filter(|_| self.wire.is_secret(password))
                })
            }
            _ => None,
        };
        account.ok_or_else(unauthorized)
    }

    fn read(&self, pieces: &[&str], query: &Query, headers: &HeaderMap) -> Response {
        self.stage.look(|floor| match self.read_at(floor, pieces, query, headers) {
            Ok(value) => answer(200, &value),
            Err(refusal) => refusal,
        })
    }

    fn read_at(
        &self,
        floor: &Centre,
        pieces: &[&str],
        query: &Query,
        headers: &HeaderMap,
    ) -> Result<Value, Response> {
        let project = Self::project();
        if let ["projects", rest @ ..] = pieces {
            let caller = self.caller(floor, headers)?;
            return self.projects(rest, &caller);
        }
        let Some((id, rest)) = pieces.split_first() else { return Err(refuse(404, "Not found.")) };
        if *id != project {
            let known_form = id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit());
            let text = if known_form { "Project not found with id" } else { "Invalid project id" };
            return Err(answer(400, &json!({"error": format!("{text}: {id}")})));
        }
        if let ["departments"] = rest {
            // Nobody is asked who they are here.
            return Ok(floor.queues_of(Vendor::Pingstreams).map(|q| self.department(floor, q)).collect());
        }
        let caller = self.caller(floor, headers)?;
        if caller.role.is_none() {
            return Err(refuse(403, "you dont belong to the project."));
        }
        if caller.disabled {
            return Err(refuse(403, "you dont have the required role."));
        }
        let found = |id: &str| -> Result<&Contact, Response> {
            let contact = number(id).and_then(|n| floor.contact(ContactNo(n)));
            contact
                .filter(|c| c.vendor == Vendor::Pingstreams && request_id(floor, c.no) == id)
                .ok_or_else(|| refuse(404, "Object not found."))
        };
        match rest {
            ["departments", "allstatus"] => {
                Ok(floor.queues_of(Vendor::Pingstreams).map(|q| self.department(floor, q)).collect())
            }
            ["groups"] => Ok(floor.queues_of(Vendor::Pingstreams).map(|q| self.group(floor, q)).collect()),
            ["project_users"] => {
                let wanted = param(query, "status");
                let members = account::members(floor).into_iter().filter(|a| match wanted {
                    Some(status) => (status == "disabled") == a.disabled,
                    None => true,
                });
                Ok(members.map(|a| self.member(&a, self.whole_user(&a))).collect())
            }
            ["project_users", "me"] => Ok(json!([self.member(&caller, json!(caller.user))])),
            ["project_users", "users", user] => account::members(floor)
                .into_iter()
                .find(|a| a.user == *user)
                .map(|a| json!([self.member(&a, self.whole_user(&a))]))
                .ok_or_else(|| refuse(404, "Object not found.")),
            ["project_users", id] => account::members(floor)
                .into_iter()
                .find(|a| a.project_user == *id)
                .map(|a| self.member(&a, self.whole_user(&a)))
                .ok_or_else(|| refuse(404, "Object not found.")),
            ["requests", "count"] => {
                let by =
                    |state| floor.open_contacts_of(Vendor::Pingstreams).filter(|c| c.state == state).count();
                let (waiting, active) = (by(ConversationState::Waiting), by(ConversationState::Active));
                Ok(json!({"unassigned": waiting, "assigned": active, "bot_assigned": 0}))
            }
            ["requests"] => Ok(self.list(floor, &caller, query)),
            ["requests", id] => found(id).map(|c| self.request(floor, c, Shape::Detail)),
            ["requests", id, "messages"] => found(id).map(|c| Value::Array(self.messages(floor, c))),
            _ => Err(refuse(404, "Not found.")),
        }
    }

    fn projects(&self, rest: &[&str], caller: &Account) -> Result<Value, Response> {
        let project = Self::project();
        let object = json!({
            "_id": project, "id": project, "name": "Example help centre", "status": 100,
            "settings": {"max_agent_assigned_chat": PROJECT_LIMIT, "chat_limit_on": true},
            "activeOperatingHours": false, "versions": 20115, "channels": [{"name": "chat21"}],
            "profile": {"name": "Custom", "type": "payment", "agents": 1000},
        });
        match rest {
            [] => {
                let mut own = self.member(caller, json!(caller.user));
                if let Some(map) = own.as_object_mut() {
                    map.insert("id_project".to_owned(), object);
                }
                Ok(if caller.role.is_some() { json!([own]) } else { json!([]) })
            }
            [id] if *id == project && caller.role.is_some() => Ok(object),
            [id] if *id == project => Err(refuse(403, "you dont belong to the project.")),
            [id] => Err(answer(400, &json!({"error": format!("Project not found with id: {id}")}))),
            _ => Err(refuse(404, "Not found.")),
        }
    }

    fn list(&self, floor: &Centre, caller: &Account, query: &Query) -> Value {
        let asked = param(query, "limit").and_then(|v| v.parse::<usize>().ok()).unwrap_or(40);
        let size = if (1..=100).contains(&asked) { asked } else { 40 };
        let page = param(query, "page").and_then(|v| v.parse::<usize>().ok()).unwrap_or(0);
        let wanted = param(query, "status");
        let mut found: Vec<&Contact> = floor
            .contacts_of(Vendor::Pingstreams)
            .filter(|c| match wanted {
                None => matches!(status(c), 51..1000) && status(c) != 150,
                Some("all") => true,
                Some(list) => list.split(',').any(|s| s.parse() == Ok(status(c))),
            })
            .filter(|c| caller.sees(floor, c.no))
            .collect();
        found.sort_by(|a, b| match param(query, "sort") {
            Some("updatedAt") => (b.updated_at, b.no).cmp(&(a.updated_at, a.no)),
            _ => (b.created_at, b.no).cmp(&(a.created_at, a.no)),
        });
        if param(query, "direction") == Some("1") {
            found.reverse();
        }
        let shape = if param(query, "no_populate") == Some("true") { Shape::ListItem } else { Shape::Detail };
        let rows = found.iter().skip(page * size).take(size).map(|c| self.request(floor, c, shape));
        let rows: Vec<Value> = rows.collect();
        json!({"perPage": size, "count": found.len(), "requests": rows})
    }
}
