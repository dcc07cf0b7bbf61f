//! Linux: variables that WebKitGTK reads once at its start, and questions to the session bus.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use zbus::Connection;

/// Set for the process that was started anew, so that it is never started a third time.
const PREPARED: &str = "FLOORWALKER_PREPARED";

/// A bus that does not answer is as good as none.
const PATIENCE: Duration = Duration::from_millis(500);

/// Starts this program anew, in place and once, when the page could not live with the variables as they are.
/// Returns only when nothing had to change or the new start failed.
///
/// Done by `exec` because changing a process's own environment is unsafe once threads may read it.
pub fn prepare() -> io::Result<()> {
    let changes = changes(|name| env::var(name).ok().filter(|v| !v.is_empty()), has_gpu());
    if changes.is_empty() || env::var_os(PREPARED).is_some() {
        return Ok(());
    }
    let mut again = Command::new(env::current_exe()?);
    again.args(env::args_os().skip(1)).env(PREPARED, "1");
    for (name, value) in changes {
        match value {
            Some(value) => again.env(name, value),
            None => again.env_remove(name),
        };
    }
    Err(again.exec())
}

type Change = (&'static str, Option<&'static str>);

fn changes(read: impl Fn(&str) -> Option<String>, gpu: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| read(name)).unwrap_or_default();
    if locale.is_empty() || locale == "POSIX" || locale == "C" || locale.starts_with("C.") {
        // WebKitGTK would tell the page that its language is "C", which the page's own Intl refuses.
        changes.extend([("LANG", Some("en_US.UTF-8")), ("LC_ALL", None), ("LC_MESSAGES", None)]);
    }
    if !gpu && read("WEBKIT_DISABLE_DMABUF_RENDERER").is_none() {
        // Without a GPU this renderer costs several times the time and memory of the plain one.
        changes.push(("WEBKIT_DISABLE_DMABUF_RENDERER", Some("1")));
    }
    changes
}

fn has_gpu() -> bool {
    std::fs::read_dir("/dev/dri")
        .is_ok_and(|nodes| nodes.flatten().any(|n| n.file_name().to_string_lossy().starts_with("renderD")))
}

/// Whether somebody on this desktop shows tray icons.
pub async fn tray_host() -> bool {
    let ask = async {
        let reply = Connection::session()
            .await?
            .call_method(
                Some("org.kde.StatusNotifierWatcher"),
                "/StatusNotifierWatcher",
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &("org.kde.StatusNotifierWatcher", "IsStatusNotifierHostRegistered"),
            )
            .await?;
        let value: zbus::zvariant::OwnedValue = reply.body().deserialize()?;
        Ok::<bool, zbus::Error>(bool::try_from(value).unwrap_or(false))
    };
    matches!(tokio::time::timeout(PATIENCE, ask).await, Ok(Ok(true)))
}

/// Properties in which notification services tell that the person asked not to be disturbed: Plasma's, and
/// dunst's own.
const INHIBITED: [(&str, &str); 2] =
    [("org.freedesktop.Notifications", "Inhibited"), ("org.dunstproject.cmd0", "paused")];

/// Whether the person asked not to be disturbed, where the notification service tells. One that does not
/// answer does not say so.
pub async fn notices_inhibited() -> bool {
    let ask = async {
        let bus = Connection::session().await?;
        for (interface, property) in INHIBITED {
            let reply = bus
                .call_method(
                    Some("org.freedesktop.Notifications"),
                    "/org/freedesktop/Notifications",
                    Some("org.freedesktop.DBus.Properties"),
                    "Get",
                    &(interface, property),
                )
                .await;
            let value = reply.ok().and_then(|r| r.body().deserialize::<zbus::zvariant::OwnedValue>().ok());
            if value.is_some_and(|value| bool::try_from(value).unwrap_or(false)) {
                return Ok(true);
            }
        }
        Ok::<bool, zbus::Error>(false)
    };
    matches!(tokio::time::timeout(PATIENCE, ask).await, Ok(Ok(true)))
}

/// Whether the notification service reads the body as markup, so that text must be escaped for it; `None`
/// when it did not answer.
pub async fn notices_take_markup() -> Option<bool> {
    let ask = async {
        let reply = Connection::session()
            .await?
            .call_method(
                Some("org.freedesktop.Notifications"),
                "/org/freedesktop/Notifications",
                Some("org.freedesktop.Notifications"),
                "GetCapabilities",
                &(),
            )
            .await?;
        let can: Vec<String> = reply.body().deserialize()?;
        Ok::<bool, zbus::Error>(can.iter().any(|c| c == "body-markup"))
    };
    tokio::time::timeout(PATIENCE, ask).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: &[(&str, &str)], gpu: bool) -> Vec<Change> {
        changes(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()), gpu)
    }

    #[test]
    fn a_locale_that_the_page_cannot_use_is_replaced() {
        let fixed = [("LANG", Some("en_US.UTF-8")), ("LC_ALL", None), ("LC_MESSAGES", None)];
        assert_eq!(with(&[], true), fixed);
        assert_eq!(with(&[("LANG", "C.UTF-8")], true), fixed);
        assert_eq!(with(&[("LANG", "fi_FI.UTF-8"), ("LC_ALL", "C")], true), fixed);
    }

    #[test]
    fn what_the_user_chose_stays() {
        assert!(with(&[("LANG", "fi_FI.UTF-8")], true).is_empty());
        let own = [("LANG", "de_DE.UTF-8"), ("WEBKIT_DISABLE_DMABUF_RENDERER", "0")];
        assert!(with(&own, false).is_empty());
    }

    #[test]
    fn without_a_gpu_the_plain_renderer_is_taken() {
        assert_eq!(with(&[("LANG", "de_DE.UTF-8")], false), [("WEBKIT_DISABLE_DMABUF_RENDERER", Some("1"))]);
    }
}
