//! Windows and macOS: a tray is always there, and nothing must be set before the start.

use std::io;

/// Nothing to prepare.
pub fn prepare() -> io::Result<()> {
    Ok(())
}

/// The system draws the tray itself.
#[allow(clippy::unused_async)]
pub async fn tray_host() -> bool {
    true
}

/// These systems hold notifications back themselves, and tell nobody.
#[allow(clippy::unused_async)]
pub async fn notices_inhibited() -> bool {
    false
}
