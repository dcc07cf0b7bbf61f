//! The tray's picture: a drawn shape and, because trays have no number of their own, digits painted over it.

use std::sync::OnceLock;

use engine::alerts::{TrayModel, TrayShape};
use tauri::image::Image;

/// Pixels a side of every picture in `icons/tray`.
const SIDE: usize = 64;

/// Ink on a shape, and the same with a light rim where the ground is hatched.
const INK: [u8; 4] = [0x0C, 0x10, 0x14, 255];
const LIGHT: [u8; 4] = [0xF2, 0xF5, 0xF8, 255];

/// Digits of 5 × 7 dots, a row a number, the left dot the highest bit. The last is "+".
const DIGITS: [[u8; 7]; 11] = [
    [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E],
    [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E],
    [0x0E, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1F],
    [0x0E, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0E],
    [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02],
    [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E],
    [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E],
    [0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
    [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E],
    [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C],
    [0x00, 0x04, 0x04, 0x1F, 0x04, 0x04, 0x00],
];

/// Shape and freshness, decoded once each.
fn ground(shape: TrayShape, stale: bool) -> &'static [u8] {
    static GROUNDS: OnceLock<[[Vec<u8>; 2]; 4]> = OnceLock::new();
    let all = GROUNDS.get_or_init(|| {
        let read = |bytes: &[u8]| Image::from_bytes(bytes).map(|i| i.rgba().to_vec()).unwrap_or_default();
        macro_rules! pair {
            ($name:literal) => {
                [
                    read(include_bytes!(concat!("../../icons/tray/", $name, ".png"))),
                    read(include_bytes!(concat!("../../icons/tray/", $name, "-stale.png"))),
                ]
            };
        }
        [pair!("plain"), pair!("dot"), pair!("triangle"), pair!("diamond")]
    });
    let row = match shape {
        TrayShape::Plain => 0,
        TrayShape::Dot => 1,
        TrayShape::Triangle => 2,
        TrayShape::Diamond => 3,
    };
    &all[row][usize::from(stale)]
}

/// The picture for what the tray should tell.
pub fn picture(model: &TrayModel) -> Image<'static> {
    let TrayModel { shape, number, stale, .. } = *model;
    let mut pixels = ground(shape, stale).to_vec();
    if let Some(number) = number.filter(|n| *n > 0) {
        let glyphs = glyphs(number);
        if shape == TrayShape::Diamond {
            // In the middle, as large as the diamond lets it be.
            let dot = if glyphs.len() == 1 { 4 } else { 3 };
            let wide = glyphs.len() * 6 * dot - dot;
            let ink = if stale { LIGHT } else { INK };
            write(&mut pixels, &glyphs, SIDE.saturating_sub(wide) / 2, (SIDE - 7 * dot) / 2, dot, ink);
        } else if glyphs.len() == 1 {
            // Over the low bar, where the shape leaves room.
            write(&mut pixels, &glyphs, 4, 2, 4, LIGHT);
        }
    }
    Image::new_owned(pixels, SIDE as u32, SIDE as u32)
}

/// At most two signs: beyond 9 in one digit's room nobody reads a tray, beyond 99 nobody counts.
fn glyphs(number: u32) -> Vec<usize> {
    match number {
        0..=9 => vec![number as usize],
        10..=99 => vec![(number / 10) as usize, (number % 10) as usize],
        _ => vec![9, 10],
    }
}

fn write(pixels: &mut [u8], glyphs: &[usize], left: usize, top: usize, dot: usize, ink: [u8; 4]) {
    for (place, glyph) in glyphs.iter().enumerate() {
        for (row, bits) in DIGITS[*glyph].iter().enumerate() {
            for column in (0..5).filter(|c| bits >> (4 - c) & 1 == 1) {
                let (x, y) = (left + (place * 6 + column) * dot, top + row * dot);
                for (dx, dy) in (0..dot * dot).map(|n| (n % dot, n / dot)) {
                    let at = ((y + dy) * SIDE + x + dx) * 4;
                    if let Some(pixel) = pixels.get_mut(at..at + 4).filter(|_| x + dx < SIDE) {
                        pixel.copy_from_slice(&ink);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(shape: TrayShape, number: Option<u32>, stale: bool) -> Vec<u8> {
        let model = TrayModel { shape, number, stale, sentence: String::new() };
        picture(&model).rgba().to_vec()
    }

    #[test]
    fn every_state_has_a_picture_of_its_own() {
        let shapes = [TrayShape::Plain, TrayShape::Dot, TrayShape::Triangle, TrayShape::Diamond];
        let mut seen = Vec::new();
        for shape in shapes {
            for stale in [false, true] {
                let pixels = drawn(shape, None, stale);
                assert_eq!(pixels.len(), SIDE * SIDE * 4);
                assert!(!seen.contains(&pixels), "{shape:?} {stale}");
                seen.push(pixels);
            }
        }
    }

    #[test]
    fn numbers_are_painted_and_large_ones_cut() {
        let diamond = |number| drawn(TrayShape::Diamond, number, false);
        assert_eq!(diamond(Some(0)), diamond(None));
        assert_ne!(diamond(Some(7)), diamond(Some(8)));
        assert_eq!(diamond(Some(100)), diamond(Some(4000)));
        assert_ne!(drawn(TrayShape::Triangle, Some(3), false), drawn(TrayShape::Triangle, None, false));
    }
}
