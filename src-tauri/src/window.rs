//! The main window: what it may load, and what closing it means.

use model::Id;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use crate::{commands::Views, core::Core, desk};

/// The one window's label; capabilities name it.
pub const MAIN: &str = "main";

/// Opens the window on our own page, and on nothing else ever.
pub fn open(app: &AppHandle, demo: bool) -> tauri::Result<()> {
    let mut builder = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title(if demo { "Floorwalker — DEMO" } else { "Floorwalker" })
        .inner_size(1280.0, 800.0)
        .min_inner_size(640.0, 420.0)
        .on_navigation(is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_page_load(|window, load| {
            // A page that starts anew knows nothing of the views it had open.
            if load.event() == PageLoadEvent::Started {
                window.state::<Views>().close_all();
            }
        })
        .disable_drag_drop_handler();
    // What the web view keeps for itself may be lost at any time: what the app remembers stands in its own
    // four stores.
    if let Ok(cache) = app.path().app_cache_dir() {
        builder = builder.data_directory(cache.join("page"));
    }
    let window = builder.build()?;
    let handle = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            close(handle.clone());
        }
    });
    Ok(())
}

/// Our page under the schemes that Tauri serves it with, or the local dev server of a debug build.
fn is_own_page(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => {
            url.host_str() == Some("tauri.localhost")
                || (cfg!(debug_assertions) && url.host_str() == Some("127.0.0.1") && url.port() == Some(5187))
        }
        _ => false,
    }
}

/// Leaves the app in the tray when the user wants that and a tray is really there; else ends it. A window
/// that hides where nobody shows a tray could never be opened again.
fn close(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        let wanted = app.state::<Core>().preferences().await.is_none_or(|p| p.close_to_tray);
        if wanted && crate::tray::stands(&app) && desk::tray_host().await {
            if let Some(window) = app.get_webview_window(MAIN) {
                let _ = window.hide();
            }
        } else {
            app.exit(0);
        }
    });
}

/// Brings the window back, from the tray, from behind, from being minimised.
pub fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ = window.show();
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}

/// Brings the window to the front and opens an alert in it.
pub fn show_alert(app: &AppHandle, alert: &Id) {
    show(app);
    // Ids of alerts are made by us, of letters and digits; nothing else becomes part of a script.
    let is_plain = alert.chars().all(|c| c.is_ascii_alphanumeric());
    if let Some(window) = app.get_webview_window(MAIN).filter(|_| is_plain) {
        let script =
            format!("window.dispatchEvent(new CustomEvent('floorwalker:show',{{detail:'{alert}'}}))");
        if let Err(error) = window.eval(script) {
            tracing::warn!(%error, "The window could not be told which alert to show.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_page_may_load() {
        let own = |text: &str| is_own_page(&Url::parse(text).unwrap());
        assert!(own("tauri://localhost/index.html"));
        assert!(own("http://tauri.localhost/"));
        for foreign in [
            "https://example.com/",
            "http://tauri.localhost.example.com/",
            "file:///etc/hostname",
            "data:text/html,hello",
            "http://127.0.0.1:80/",
        ] {
            assert!(!own(foreign), "{foreign}");
        }
    }
}
