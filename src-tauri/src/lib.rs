//! The desktop shell: glue between the runtime and the operating system's window, tray and notifications.
//! Nothing here knows a vendor, a rule or a number of the floor.

mod args;
mod commands;
mod core;
mod desk;
mod notify;
mod sound;
mod tray;
mod tray_picture;
mod window;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use app::api::Ask;
use app::keychain::Keychain;
use app::ports::{NoticeAction, Opener};
use app::{Floorwalker, Ports, Start};
use args::{Args, Stop};
use core::Core;
use link::SystemClock;
use tauri::{AppHandle, Manager, RunEvent};
use tokio::sync::{mpsc, watch};
use tracing_subscriber::EnvFilter;

/// A flush that takes longer is cut off: the record loses nothing but its last half second.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a snooze from a notification lasts.
const SNOOZE_MINUTES: u32 = 10;

/// Runs the app until its end.
pub fn run() -> ExitCode {
    if let Err(error) = desk::prepare() {
        // The page may then look wrong; that is still better than no window.
        eprintln!("floorwalker: could not start anew with the desktop's variables set: {error}");
    }
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(Stop::Say(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(Stop::Wrong(sentence)) => {
            eprintln!("floorwalker: {sentence}");
            return ExitCode::from(2);
        }
    };
    // Our own crates only: the libraries' lines may hold addresses with tokens.
    let level = &args.log_level;
    let ours = ["floorwalker", "floorwalker_shell", "app", "engine", "link", "model", "store", "vendors"];
    let filter: String = ours.iter().map(|name| format!(",{name}={level}")).collect();
    let filter = EnvFilter::new(format!("off{filter}"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => live(&args, &runtime),
        Err(error) => failed(&format!("could not start its threads: {error}")),
    }
}

fn failed(sentence: &str) -> ExitCode {
    eprintln!("floorwalker: {sentence}");
    ExitCode::FAILURE
}

fn live(args: &Args, runtime: &tokio::runtime::Runtime) -> ExitCode {
    tauri::async_runtime::set(runtime.handle().clone());
    let (started_in, started) = watch::channel(None);
    let (actions_in, actions) = mpsc::channel(16);
    let built = tauri::Builder::default()
        .plugin(single_instance(args))
        .manage(Core::new(started))
        .manage(commands::Views::default())
        .invoke_handler(tauri::generate_handler![commands::ask, commands::subscribe, commands::unsubscribe])
        .setup({
            let args = args.clone();
            move |app| {
                // Opening the record takes its time; the window is built meanwhile. Only a first instance
                // comes this far.
                let handle = app.handle().clone();
                tauri::async_runtime::spawn_blocking({
                    let args = args.clone();
                    move || start(&args, actions_in, started_in, &handle)
                });
                tauri::async_runtime::spawn(obey(app.handle().clone(), actions));
                tauri::async_runtime::spawn(end_on_signal(app.handle().clone()));
                window::open(app.handle(), args.demo_mark)?;
                tray::put_up(app.handle());
                Ok(())
            }
        })
        .build(tauri::generate_context!());
    let app = match built {
        Ok(app) => app,
        Err(error) => return failed(&format!("could not open its window: {error}")),
    };
    let handle = app.handle().clone();
    let code = app.run_return(|_, event| {
        if let RunEvent::ExitRequested { .. } = event {
            tracing::info!("Ending.");
        }
    });
    if let Some(floor) = handle.state::<Core>().floor_now() {
        let ended = runtime.block_on(async { tokio::time::timeout(FAREWELL, floor.shutdown()).await });
        if ended.is_err() {
            eprintln!("floorwalker: the record was not written out within {} s", FAREWELL.as_secs());
        }
    }
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn start(
    args: &Args,
    actions: mpsc::Sender<NoticeAction>,
    started: watch::Sender<Option<Floorwalker>>,
    handle: &AppHandle,
) {
    let start = Start {
        config: args.config.clone(),
        data: args.data.clone(),
        only: None,
        record: true,
        strict: false,
        demo: args.demo_mark,
        tapes: None,
    };
    let ports = Ports {
        vault: Arc::new(Keychain),
        notifier: Arc::new(notify::Desktop::new(actions)),
        opener: Arc::new(Browser),
        speaker: Arc::new(sound::Loudspeaker::default()),
        clock: Arc::new(SystemClock),
    };
    match Floorwalker::start(start, ports) {
        Ok(floor) => {
            let _ = started.send(Some(floor));
        }
        Err(error) => {
            eprintln!("floorwalker: {error}");
            handle.exit(2);
        }
    }
}

/// A second start of the same app brings the first one's window to the front and ends. An app with a data
/// folder of its own is an app of its own.
fn single_instance(args: &Args) -> tauri::plugin::TauriPlugin<tauri::Wry> {
    let mut builder = tauri_plugin_single_instance::Builder::new().callback(|app, _, _| window::show(app));
    if args.own_data {
        builder = builder.dbus_id(format!("org.floorwalker.desktop.d{:016x}", fingerprint(&args.data)));
    }
    builder.build()
}

/// FNV-1a: the same number for the same folder in every run.
fn fingerprint(folder: &std::path::Path) -> u64 {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    folder
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Does what people chose on a notification.
async fn obey(app: AppHandle, mut actions: mpsc::Receiver<NoticeAction>) {
    while let Some(action) = actions.recv().await {
        let ask = match action {
            NoticeAction::Show(alert) => {
                match alert {
                    Some(alert) => window::show_alert(&app, &alert),
                    None => window::show(&app),
                }
                continue;
            }
            NoticeAction::Acknowledge(alert) => Ask::Acknowledge { alert },
            NoticeAction::Snooze(alert) => {
                Ask::Snooze { alert, minutes: Some(SNOOZE_MINUTES), shift_end: false }
            }
        };
        if let Err(error) = app.state::<Core>().ask(ask).await {
            tracing::warn!(%error, "An alert's notification could not be answered.");
        }
    }
}

/// The session's end and a terminal's Ctrl-C end the app as its menu does.
async fn end_on_signal(app: AppHandle) {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    app.exit(0);
}

/// The user's browser, by the desktop's own choice.
struct Browser;

impl Opener for Browser {
    fn open(&self, url: &str) -> Result<(), String> {
        if !url.starts_with("https://") {
            return Err("only https addresses are opened".to_owned());
        }
        open::that_detached(url).map_err(|error| error.to_string())
    }
}
