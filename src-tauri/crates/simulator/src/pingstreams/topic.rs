//! What a topic asks for, by the server's own tests in their own order.

/// The kinds of topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic<'a> {
    Messages(&'a str),
    Requests,
    User(&'a str),
    ProjectUser(&'a str),
    Events,
    Bot,
    /// Anything else is taken as a conversation.
    Request(&'a str),
}

/// Project and kind of a topic; `None` when there is no project in it.
pub(super) fn read(topic: &str) -> Option<(&str, Topic<'_>)> {
    let parts: Vec<&str> = topic.split('/').collect();
    let project = *parts.get(1)?;
    let last = parts.last().copied().unwrap_or_default();
    let fourth = parts.get(3).copied().unwrap_or_default();
    let kind = if topic.ends_with("/messages") {
        Topic::Messages(fourth)
    } else if topic.ends_with("/requests") {
        Topic::Requests
    } else if topic.contains("/project_users/users/") {
        Topic::User(last)
    } else if topic.contains("/project_users/") {
        Topic::ProjectUser(last)
    } else if topic.contains("/events/") {
        Topic::Events
    } else if topic.contains("/bots/") {
        Topic::Bot
    } else {
        Topic::Request(fourth)
    };
    Some((project, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_tests_decides() {
        assert_eq!(read("/P/requests"), Some(("P", Topic::Requests)));
        assert_eq!(read("/P/requests/R"), Some(("P", Topic::Request("R"))));
        assert_eq!(read("/P/requests/R/messages"), Some(("P", Topic::Messages("R"))));
        assert_eq!(read("/P/project_users/users/U"), Some(("P", Topic::User("U"))));
        assert_eq!(read("/P/project_users/PU"), Some(("P", Topic::ProjectUser("PU"))));
        assert_eq!(read("P/requests"), Some(("requests", Topic::Requests)));
        assert_eq!(read("//P/requests"), Some(("", Topic::Requests)));
        assert_eq!(read("nothing"), None);
    }
}
