//! What differs between desktops, one file each, with the same functions: `prepare` (before anything else
//! runs), `tray_host` and `notices_inhibited`.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{notices_inhibited, notices_take_markup, prepare, tray_host};

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub use other::{notices_inhibited, prepare, tray_host};
