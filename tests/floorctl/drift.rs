//! What a vendor changes in its format is told, and nothing else suffers.

use model::Vendor;
use simulator::{Fault, Options};

use crate::support::{Desk, row, run};

#[tokio::test(flavor = "multi_thread")]
async fn p6_check_tells_what_of_a_format_has_changed_beside_its_result() {
    let vendors = [Vendor::Giosg, Vendor::Liveperson, Vendor::Comm100];
    let desk = Desk::open(Options::quiet(&vendors)).await;
    let control = desk.centre.control();
    let users = r#"{"results":[{"user_id":7,"email":"anna@example.test","is_online":"sometimes","currently_open_chats":{"n":1}}]}"#;
    control.fault(Vendor::Giosg, "users", Fault::Body(users.into())).unwrap();
    let agents = r#"{"availableAgents":{"agents":{"agent":[{"id":"5","chatState":"9","maxChats":"3"}]}}}"#;
    control.fault(Vendor::Liveperson, "availableagents", Fault::Body(agents.into())).unwrap();

    let output = run(desk.floorctl(&["check", "--timeout", "120s"])).await;
    let (result, told) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{result} {told}");
    assert_eq!(result.lines().count(), 3, "one line a source: {result}");
    assert!(!result.contains("format changed"), "{result}");
    // How often depends on how long the slowest source took.
    for line in [
        "floorctl: giosg: format changed: users, is_online: another type (text in place of yes or no), ",
        "floorctl: giosg: format changed: users, currently_open_chats: another type (an object in place of number), ",
        "floorctl: liveperson: format changed: agents, availableagents.agents.agent.chatstate: unknown word (9), ",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(!told.contains("anna") && !told.contains("comm100"), "{told}");

    // Never an invented value.
    let (_, document) = desk.snapshot(&[]).await;
    let agent = row(&document, "agents", "7");
    assert_eq!((&agent["presence"], &agent["open"]), (&"unknown".into(), &serde_json::Value::Null));
    assert_eq!(row(&document, "agents", "5")["presence"], "unknown");
}
