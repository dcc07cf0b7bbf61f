//! The four kinds of topic. Matching is exact text equality; there are no wildcards.

/// What a topic is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Topic {
    /// `/P/requests`: every conversation of the project.
    Requests,
    /// `/P/requests/R`: one conversation, references populated.
    Request(String),
    /// `/P/requests/R/messages`: its messages.
    Messages(String),
    /// `/P/project_users/users/U`: one member, named by the user.
    Member(String),
}

impl Topic {
    /// The text to subscribe to.
    pub fn text(&self, project: &str) -> String {
        match self {
            Topic::Requests => format!("/{project}/requests"),
            Topic::Request(id) => format!("/{project}/requests/{id}"),
            Topic::Messages(id) => format!("/{project}/requests/{id}/messages"),
            Topic::Member(user) => format!("/{project}/project_users/users/{user}"),
        }
    }

    /// Reads a topic of this project; `None` for any other text.
    pub fn parse(text: &str, project: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?.strip_prefix(project)?.strip_prefix('/')?;
        if rest == "requests" {
            return Some(Topic::Requests);
        }
        if let Some(user) = rest.strip_prefix("project_users/users/") {
            return (!user.is_empty() && !user.contains('/')).then(|| Topic::Member(user.to_owned()));
        }
        let rest = rest.strip_prefix("requests/")?;
        let (id, messages) = match rest.strip_suffix("/messages") {
            Some(id) => (id, true),
            None => (rest, false),
        };
        if id.is_empty() || id.contains('/') {
            return None;
        }
        Some(if messages { Topic::Messages(id.to_owned()) } else { Topic::Request(id.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_are_written_and_read() {
        for topic in [
            Topic::Requests,
            Topic::Request("support-group-1".into()),
            Topic::Messages("support-group-1".into()),
            Topic::Member("6b02".into()),
        ] {
            assert_eq!(Topic::parse(&topic.text("P1"), "P1"), Some(topic));
        }
        for other in
            ["/P2/requests", "P1/requests", "/P1/requests/", "/P1/requests/a/b", "/P1/events/x", "/P1", ""]
        {
            assert_eq!(Topic::parse(other, "P1"), None, "{other}");
        }
    }
}
