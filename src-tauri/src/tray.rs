//! The tray: a shape with a number, and a menu that says and does everything a click could (on Linux the
//! tray tells nobody of clicks).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use app::Floorwalker;
use app::api::Ask;
use engine::alerts::TrayModel;
use engine::view::{Row, ViewMessage, ViewSpec};
use model::AlertState;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};

use crate::{core::Core, tray_picture, window};

/// A tray that changes faster only flickers.
const PACE: Duration = Duration::from_millis(500);

/// How long "snooze all" lasts.
const SNOOZE_MINUTES: u32 = 10;

/// The tray's parts that change.
pub struct Tray {
    icon: TrayIcon,
    sentence: MenuItem<Wry>,
}

/// Puts the tray up and keeps it true. A desktop without one is a normal state, told as a notice.
pub fn put_up(app: &AppHandle) {
    // The Linux tray library is looked for while running, and the crate that does it panics when it is
    // missing. That must not take the window along.
    match catch_unwind(AssertUnwindSafe(|| build(app))) {
        Ok(Ok(tray)) => {
            app.manage(tray);
            tauri::async_runtime::spawn(follow(app.clone()));
        }
        Ok(Err(error)) => missing(app, &error.to_string()),
        Err(_) => missing(app, "its library is not installed"),
    }
}

/// Whether there is a tray to hide in.
pub fn stands(app: &AppHandle) -> bool {
    app.try_state::<Tray>().is_some()
}

fn missing(app: &AppHandle, why: &str) {
    tracing::warn!(why, "No tray.");
    app.state::<Core>().notice(
        "This desktop has no tray: closing the window ends Floorwalker and its alerts. Minimise it instead.",
    );
}

fn build(app: &AppHandle) -> tauri::Result<Tray> {
    let sentence = MenuItem::with_id(app, "sentence", "Starting …", false, None::<&str>)?;
    let menu = Menu::with_items(
        app,
        &[
            &sentence,
            &PredefinedMenuItem::separator(app)?,
            &MenuItem::with_id(app, "open", "Open Floorwalker", true, None::<&str>)?,
            &MenuItem::with_id(app, "snooze", "Snooze all alerts for 10 minutes", true, None::<&str>)?,
            &PredefinedMenuItem::separator(app)?,
            &MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?,
        ],
    )?;
    let model = TrayModel::default();
    let mut builder = TrayIconBuilder::with_id("floor")
        .icon(tray_picture::picture(&model))
        .tooltip("Floorwalker")
        .menu(&menu)
        .show_menu_on_left_click(cfg!(target_os = "linux"))
        .on_menu_event(chosen)
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, .. } = event {
                window::show(tray.app_handle());
            }
        });
    // Where pictures travel as files, they belong to this user alone.
    if let Ok(folder) = app.path().runtime_dir() {
        builder = builder.temp_dir_path(folder.join("floorwalker"));
    }
    Ok(Tray { icon: builder.build(app)?, sentence })
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        "open" => window::show(app),
        "quit" => app.exit(0),
        "snooze" => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Ok(floor) = app.state::<Core>().floor().await {
                    snooze_all(&floor).await;
                }
            });
        }
        _ => {}
    }
}

async fn snooze_all(floor: &Floorwalker) {
    let Ok(mut alerts) = floor.subscribe(ViewSpec::Alerts).await else { return };
    let Some(ViewMessage::Snapshot { rows, .. }) = alerts.next().await else { return };
    for row in rows {
        if let Row::Alert(alert) = row
            && matches!(alert.state, AlertState::Firing | AlertState::Acked)
        {
            let ask = Ask::Snooze { alert: alert.id, minutes: Some(SNOOZE_MINUTES), shift_end: false };
            if let Err(error) = floor.ask(ask).await {
                tracing::warn!(%error, "An alert could not be snoozed.");
            }
        }
    }
}

/// Shows each change, at most two a second, the last one always.
async fn follow(app: AppHandle) {
    let Ok(floor) = app.state::<Core>().floor().await else { return };
    let mut models = floor.tray();
    let mut shown = None;
    loop {
        let model = models.borrow_and_update().clone();
        if shown.as_ref() != Some(&model) {
            let tray = app.state::<Tray>();
            let drawn = tray
                .icon
                .set_icon(Some(tray_picture::picture(&model)))
                .and_then(|()| tray.sentence.set_text(&model.sentence))
                .and_then(|()| tray.icon.set_tooltip(Some(format!("Floorwalker: {}", model.sentence))));
            if let Err(error) = drawn {
                tracing::warn!(%error, "The tray could not be changed.");
            }
            shown = Some(model);
        }
        tokio::time::sleep(PACE).await;
        if models.changed().await.is_err() {
            return;
        }
    }
}
