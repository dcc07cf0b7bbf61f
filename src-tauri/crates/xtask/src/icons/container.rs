//! The files that pictures travel in: PNG, and the two that are a list of PNGs.

use std::io;

use super::draw::Canvas;

/// A PNG of 8-bit RGBA.
pub fn png(canvas: &Canvas) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, canvas.size, canvas.size);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().and_then(|mut w| w.write_image_data(&canvas.pixels)).map_err(io::Error::other)?;
    Ok(bytes)
}

/// A Windows `.ico` that holds PNGs.
pub fn ico(pictures: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut head = vec![0, 0, 1, 0];
    head.extend((pictures.len() as u16).to_le_bytes());
    let mut offset = 6 + 16 * pictures.len() as u32;
    for (size, bytes) in pictures {
        // 256 is written as 0.
        let side = (size % 256) as u8;
        head.extend([side, side, 0, 0, 1, 0, 32, 0]);
        head.extend((bytes.len() as u32).to_le_bytes());
        head.extend(offset.to_le_bytes());
        offset += bytes.len() as u32;
    }
    pictures.iter().for_each(|(_, bytes)| head.extend(bytes));
    head
}

/// A macOS `.icns` that holds PNGs, each under the type code of its size.
pub fn icns(pictures: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (code, bytes) in pictures {
        body.extend(*code);
        body.extend((bytes.len() as u32 + 8).to_be_bytes());
        body.extend(bytes);
    }
    let mut file = b"icns".to_vec();
    file.extend((body.len() as u32 + 8).to_be_bytes());
    file.extend(body);
    file
}
