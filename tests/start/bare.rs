//! The least that a window of this web view can be: it paints a word and says so.

use std::io::Write;

use tao::event::{Event, StartCause};
use tao::event_loop::{ControlFlow, EventLoop};
use tao::platform::unix::WindowExtUnix;
use tao::window::WindowBuilder;
use wry::{WebViewBuilder, WebViewBuilderExtUnix};

/// Two frames after the script runs, what it drew stands on the screen.
const PAGE: &str = "<!doctype html><title>bare</title><p>bare</p><script>\
requestAnimationFrame(() => requestAnimationFrame(() => window.ipc.postMessage('painted')))</script>";

pub fn open() {
    let events = EventLoop::new();
    let size = tao::dpi::LogicalSize::new(1280.0, 800.0);
    let window = WindowBuilder::new().with_inner_size(size).build(&events).unwrap();
    let said = |_: wry::http::Request<String>| {
        println!("painted");
        let _ = std::io::stdout().flush();
    };
    let view = WebViewBuilder::new().with_html(PAGE).with_ipc_handler(said);
    let view = view.build_gtk(window.default_vbox().unwrap()).unwrap();
    events.run(move |event, _, flow| {
        // Both live as long as the loop.
        let _ = (&window, &view);
        if let Event::NewEvents(StartCause::Init) = event {
            *flow = ControlFlow::Wait;
        }
    });
}
