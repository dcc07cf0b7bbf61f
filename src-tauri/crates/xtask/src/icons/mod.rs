//! `cargo xtask icons`: draws the app icon and the tray shapes, so that they are code like the rest.

mod container;
mod draw;

use std::fs;
use std::io;
use std::path::Path;

use draw::{Canvas, Rgba, block, diamond, disc, stripes, triangle};

const NIGHT: Rgba = [0x17, 0x1C, 0x21, 255];
const BAR_FAR: Rgba = [0x6B, 0x76, 0x83, 255];
const BAR_MID: Rgba = [0xB4, 0xBE, 0xC8, 255];
const BAR_NEAR: Rgba = [0x6D, 0xB4, 0xF2, 255];
const LIGHT: Rgba = [0xF2, 0xF5, 0xF8, 255];
const RIM: Rgba = [0x10, 0x14, 0x18, 150];
const NOTE: Rgba = [0x6D, 0xB4, 0xF2, 255];
const WARN: Rgba = [0xF0, 0xA0, 0x30, 255];
const CRIT: Rgba = [0xFF, 0x7A, 0x6B, 255];
const STALE: Rgba = [0x8C, 0x98, 0xA4, 255];

/// Pixels a side of a tray picture. Panels scale it down to 16–32.
const TRAY: u32 = 64;

/// Writes every picture into `icons/`.
pub fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("tray"))?;
    for (name, size) in [("32x32.png", 32), ("128x128.png", 128), ("128x128@2x.png", 256), ("icon.png", 512)]
    {
        fs::write(folder.join(name), app_icon(size)?)?;
    }
    let windows = [16, 32, 48, 256].map(|size| app_icon(size).map(|bytes| (size, bytes)));
    fs::write(folder.join("icon.ico"), container::ico(&all(windows)?))?;
    let mac = [(b"ic07", 128), (b"ic08", 256), (b"ic09", 512)]
        .map(|(code, size)| app_icon(size).map(|bytes| (code, bytes)));
    fs::write(folder.join("icon.icns"), container::icns(&all(mac)?))?;
    for shape in ["plain", "dot", "triangle", "diamond"] {
        for stale in [false, true] {
            let name = format!("tray/{shape}{}.png", if stale { "-stale" } else { "" });
            fs::write(folder.join(name), container::png(&tray(shape, stale))?)?;
        }
    }
    Ok(())
}

fn all<T, const N: usize>(parts: [io::Result<T>; N]) -> io::Result<Vec<T>> {
    parts.into_iter().collect()
}

/// Three bars, the nearest in the accent colour, on a night-grey tile.
fn app_icon(size: u32) -> io::Result<Vec<u8>> {
    let mut canvas = Canvas::new(size, 16.0);
    canvas.fill(NIGHT, block(0.5, 0.5, 15.0, 15.0, 3.4));
    canvas.fill(BAR_FAR, block(3.4, 8.6, 2.5, 4.2, 0.8));
    canvas.fill(BAR_MID, block(6.75, 6.0, 2.5, 6.8, 0.8));
    canvas.fill(BAR_NEAR, block(10.1, 3.2, 2.5, 9.6, 0.8));
    container::png(&canvas)
}

/// The tray's four shapes: three bars, with a dot (something pends), with a triangle (slow), or a diamond
/// (late; the number is drawn into it while the app runs). What is old is grey and hatched.
fn tray(shape: &str, stale: bool) -> Canvas {
    let mut canvas = Canvas::new(TRAY, 16.0);
    let ink = if stale { STALE } else { LIGHT };
    if shape == "diamond" {
        // A rim keeps light shapes visible on light panels.
        canvas.fill(RIM, diamond(8.0, 8.0, 8.0));
        canvas.fill(if stale { STALE } else { CRIT }, diamond(8.0, 8.0, 7.4));
    } else {
        // The nearest bar makes room for a mark above it.
        let near = if shape == "plain" { 1.8 } else { 9.8 };
        let bars = [(1.3, 9.0), (6.4, 5.8), (11.5, near)];
        for (left, top) in bars {
            canvas.fill(RIM, block(left - 0.4, top - 0.4, 4.2, 15.6 - top, 1.3));
        }
        for (left, top) in bars {
            canvas.fill(ink, block(left, top, 3.4, 14.8 - top, 1.0));
        }
    }
    if stale {
        // Hatched before the mark is laid on, so that the mark stays readable.
        canvas.cut(stripes(1.5, 2.0));
    }
    match shape {
        "dot" => {
            canvas.cut(disc(12.2, 3.8, 4.5));
            canvas.fill(RIM, disc(12.2, 3.8, 3.7));
            canvas.fill(if stale { STALE } else { NOTE }, disc(12.2, 3.8, 3.3));
        }
        "triangle" => {
            canvas.cut(triangle(11.4, -1.6, 11.4, 11.2));
            canvas.fill(RIM, triangle(11.4, 0.0, 9.2, 8.6));
            canvas.fill(if stale { STALE } else { WARN }, triangle(11.4, 0.7, 8.0, 7.5));
        }
        _ => {}
    }
    canvas
}
