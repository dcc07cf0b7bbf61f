//! A display that nobody sees, for machines without one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::run::{Background, Done, command};

/// Whether windows can be shown here.
pub fn there_is_one() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

/// A virtual display with its picture in a file: room for the window, and for notifications beside it.
pub struct Virtual {
    /// `:N`.
    pub name: String,
    picture: PathBuf,
    _server: Background,
}

impl Virtual {
    /// Starts one on a free number; `folder` holds its picture.
    pub fn start(folder: &Path) -> Done<Self> {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut server = command("Xvfb");
        server
            .args(["-displayfd", "1", "-screen", "0", "1620x800x24", "-nolisten", "tcp", "-fbdir"])
            .arg(folder);
        let mut server = Background::start(server.stdout(Stdio::piped()).stderr(Stdio::null()))?;
        let out = server.child().stdout.take().ok_or("Xvfb has no output")?;
        let mut number = String::new();
        let read = BufReader::new(out).read_line(&mut number);
        if read.is_err() || number.trim().is_empty() {
            return Err("Xvfb did not start; is the package xvfb whole?".to_owned());
        }
        Ok(Self {
            name: format!(":{}", number.trim()),
            picture: folder.join("Xvfb_screen0"),
            _server: server,
        })
    }

    /// Writes what the display shows now as a PNG.
    pub fn photograph(&self, to: &Path) -> Done {
        let bytes = fs::read(&self.picture).map_err(|e| format!("the display's picture: {e}"))?;
        let (width, height, pixels) = dumped(&bytes).ok_or("the display's picture is not understood")?;
        let file = fs::File::create(to).map_err(|e| format!("{}: {e}", to.display()))?;
        let mut encoder = png::Encoder::new(file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&pixels))
            .map_err(|e| format!("{}: {e}", to.display()))
    }
}

/// Reads an X window dump of 24-bit colour in 32-bit little-endian pixels: width, height, RGB.
fn dumped(bytes: &[u8]) -> Option<(u32, u32, Vec<u8>)> {
    let word = |n: usize| Some(u32::from_be_bytes(bytes.get(n * 4..n * 4 + 4)?.try_into().ok()?));
    let (head, width, height) = (word(0)? as usize, word(4)?, word(5)?);
    let (bits, line, colours) = (word(11)?, word(12)? as usize, word(19)? as usize);
    if bits != 32 {
        return None;
    }
    // After the head stands the list of colours, twelve bytes each.
    let start = head + colours * 12;
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for row in 0..height as usize {
        let from = start + row * line;
        for pixel in bytes.get(from..from + width as usize * 4)?.chunks_exact(4) {
            pixels.extend([pixel[2], pixel[1], pixel[0]]);
        }
    }
    Some((width, height, pixels))
}

#[cfg(test)]
mod tests {
    use super::dumped;

    #[test]
    fn reads_a_window_dump() {
        let mut words = [0u32; 25];
        (words[0], words[4], words[5], words[11], words[12], words[19]) = (100, 1, 2, 32, 4, 1);
        let mut bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
        bytes.extend([0; 12]);
        bytes.extend([3, 2, 1, 0, 6, 5, 4, 0]);
        assert_eq!(dumped(&bytes), Some((1, 2, vec![1, 2, 3, 4, 5, 6])));
        assert_eq!(dumped(&bytes[..110]), None);
    }
}
