//! The two tones, as 16-bit mono WAV.

use std::f64::consts::TAU;

use app::ports::Tone;

const RATE: u32 = 22_050;
/// Loudest amplitude: full scale clips on some devices.
const LOUDEST: f64 = 0.6 * 32_767.0;
/// Rise and fall, so that nothing clicks, seconds.
const EDGE: f64 = 0.015;

/// Pitch in hertz (0: silence) and length in seconds.
type Note = (f64, f64);

const ONE: &[Note] = &[(660.0, 0.22)];
const TWO: &[Note] = &[(880.0, 0.18), (0.0, 0.06), (660.0, 0.26)];

/// The tone as a whole file; `volume` 0–100.
pub fn wav(tone: Tone, volume: u32) -> Vec<u8> {
    let notes = match tone {
        Tone::One => ONE,
        Tone::Two => TWO,
    };
    let loud = LOUDEST * f64::from(volume.min(100)) / 100.0;
    let samples: Vec<i16> = notes.iter().flat_map(|note| play(*note, loud)).collect();
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(0);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16u32.to_le_bytes());
    // Plain samples, one channel, 16 bits each.
    for half in [1u16, 1] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    for word in [RATE, RATE * 2] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for half in [2u16, 16] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

fn play((pitch, seconds): Note, loud: f64) -> impl Iterator<Item = i16> {
    let count = (seconds * f64::from(RATE)) as u32;
    (0..count).map(move |at| {
        let t = f64::from(at) / f64::from(RATE);
        let edge = (t / EDGE).min((seconds - t) / EDGE).clamp(0.0, 1.0);
        ((TAU * pitch * t).sin() * loud * edge) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loudest(file: &[u8]) -> i32 {
        let samples = file[44..].chunks_exact(2).map(|s| i32::from(i16::from_le_bytes([s[0], s[1]])).abs());
        samples.max().unwrap_or(0)
    }

    #[test]
    fn the_file_says_how_long_it_is() {
        for tone in [Tone::One, Tone::Two] {
            let file = wav(tone, 70);
            let word = |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
            assert_eq!((&file[..4], &file[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
            assert_eq!(word(4) as usize, file.len() - 8);
            assert_eq!(word(40) as usize, file.len() - 44);
        }
    }

    #[test]
    fn volume_is_loudness_and_two_tones_are_longer_than_one() {
        assert_eq!(loudest(&wav(Tone::One, 0)), 0);
        assert!(loudest(&wav(Tone::One, 50)) < loudest(&wav(Tone::One, 100)));
        assert!(loudest(&wav(Tone::One, 100)) <= 32_767);
        assert_eq!(wav(Tone::One, 100), wav(Tone::One, 1000));
        assert!(wav(Tone::Two, 70).len() > wav(Tone::One, 70).len());
    }
}
