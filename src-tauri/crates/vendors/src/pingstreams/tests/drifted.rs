//! What has changed in the server's format is noted by its name: frames and lists alike.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    super::{config::Config, format, topic::Topic},
    peer::{Peer, member, row},
    running::{Running, config},
};
use crate::drift::{Drift, Notes};

fn found(notes: &Notes) -> Vec<(String, String, Drift)> {
    notes.list().into_iter().map(|note| (note.part, note.field, note.drift)).collect()
}

async fn noted(notes: &Notes, part: &str, field: &str, drift: Drift) {
    let wanted = (part.to_owned(), field.to_owned(), drift);
    let end = Instant::now() + Duration::from_secs(60);
    while !found(notes).contains(&wanted) {
        assert!(Instant::now() < end, "never {wanted:?}: {:?}", found(notes));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn p26_lists_over_rest_are_watched() {
    let peer = Peer::start().await;
    let members: Vec<Value> = ["anna", "ben", "cleo"].map(|user| member(user, "owner", true, 0)).into();
    peer.rest("GET /p1/project_users", 200, &json!(members).to_string());
    let departments: Vec<Value> = ["d1", "d2", "d3"]
        .map(|id| json!({"_id": id, "name": "Sales", "groups": [{"group_id": "g1"}]}))
        .into();
    peer.rest("GET /p1/departments", 200, &json!(departments).to_string());
    let group = json!({"_id": "g1", "members": ["anna"], "enabled": true});
    peer.rest("GET /p1/groups", 200, &json!([group, group, group]).to_string());
    peer.list(&[row("r1", 100, 1), row("r2", 200, 1), row("r3", 200, 1)]);
    let mut quick = config(&peer);
    quick.pace.resync = Duration::from_millis(100);
    let mut seen = Running::start(Config { ..quick });
    seen.live().await;
    assert!(seen.notes.list().is_empty(), "{:?}", seen.notes);

    let changed = |rows: &[Value], field: &str, to: Option<Value>| {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            match &to {
                Some(to) => row[field] = to.clone(),
                None => drop(row.as_object_mut().unwrap().remove(field)),
            }
        }
        json!(rows)
    };
    let rest = |what: &str, body: &Value| peer.rest(what, 200, &body.to_string());
    // The connector goes on taking in what comes.
    let notes = seen.notes.clone();
    let listening = tokio::spawn(async move { while seen.rx.recv().await.is_some() {} });
    rest("GET /p1/project_users", &changed(&members, "number_assigned_requests", None));
    noted(&notes, "agents", "number_assigned_requests", Drift::Vanished).await;
    rest("GET /p1/project_users", &changed(&members, "user_available", Some(json!("perhaps"))));
    noted(&notes, "agents", "user_available", Drift::Type).await;
    rest("GET /p1/project_users", &changed(&members, "status", Some(json!("asleep"))));
    noted(&notes, "agents", "status", Drift::Word).await;
    rest("GET /p1/departments", &changed(&departments, "name", None));
    noted(&notes, "departments", "name", Drift::Vanished).await;
    rest("GET /p1/groups", &json!([{"_id": "g1", "members": "anna"}]));
    noted(&notes, "groups", "members", Drift::Type).await;
    rest("GET /projects/p1", &json!({"settings": {"max_agent_assigned_chat": "three"}}));
    noted(&notes, "project", "settings.max_agent_assigned_chat", Drift::Type).await;
    let rows = [row("r1", 100, 1), row("r2", 200, 1), row("r3", 200, 1)];
    let page = |rows: Value| json!({"perPage": 100, "count": 3, "requests": rows});
    rest("GET /p1/requests", &page(changed(&rows, "createdAt", Some(json!(1_769_850_000)))));
    noted(&notes, "conversations", "requests.createdat", Drift::Type).await;
    peer.rest("GET /p1/departments", 200, "[{");
    noted(&notes, "departments", "", Drift::Unreadable).await;
    listening.abort();
}

#[test]
fn p26_a_field_that_no_frame_has_any_more_is_missed() {
    let notes = Notes::default();
    let hear = |message: Value| {
        let (part, shape) = format::of(&Topic::Requests);
        let frame = json!({"action": "publish", "payload": {"topic": "/p1/requests", "message": message}});
        notes.hear(part, frame.to_string().as_bytes(), shape);
    };
    for minute in 0..20 {
        hear(row("r1", 200, minute));
    }
    // What comes and goes with what happens is not missed.
    for minute in 20..40 {
        let mut row = row("r1", 100, minute);
        row.as_object_mut().unwrap().remove("priority");
        row.as_object_mut().unwrap().remove("preflight");
        hear(row);
    }
    assert!(notes.list().is_empty(), "{notes:?}");
    for minute in 40..55 {
        let mut row = row("r1", 200, minute);
        row.as_object_mut().unwrap().remove("status");
        hear(row);
    }
    assert_eq!(
        found(&notes),
        [("requests".to_owned(), "payload.message.status".to_owned(), Drift::Vanished)]
    );
}
