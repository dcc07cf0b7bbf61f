//! Tones through the system's own player: no sound library has to be there to build or to start.

mod tone;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use app::ports::{SoundError, Speaker, Tone};
use async_trait::async_trait;

/// A tone lasts half a second; a player that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often it is looked whether a player has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Whatever can play here.
#[derive(Default)]
pub struct Loudspeaker {
    /// The player that worked last; it is asked first.
    last: Arc<AtomicUsize>,
}

/// A program that plays a WAV file and ends.
struct Player {
    program: &'static str,
    arguments: fn(&Path) -> Vec<OsString>,
}

fn file_only(file: &Path) -> Vec<OsString> {
    vec![file.into()]
}

#[cfg(target_os = "linux")]
const PLAYERS: &[Player] = &[
    Player { program: "pw-play", arguments: file_only },
    Player { program: "paplay", arguments: file_only },
    Player { program: "aplay", arguments: |file| vec!["-q".into(), file.into()] },
];

#[cfg(target_os = "macos")]
const PLAYERS: &[Player] = &[Player { program: "afplay", arguments: file_only }];

#[cfg(windows)]
const PLAYERS: &[Player] = &[Player {
    program: "powershell",
    arguments: |file| {
        // A quote in a path is doubled within a quoted text.
        let path = file.display().to_string().replace('\'', "''");
        let script = format!("(New-Object System.Media.SoundPlayer '{path}').PlaySync()");
        ["-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-Command"]
            .into_iter()
            .map(OsString::from)
            .chain([OsString::from(script)])
            .collect()
    },
}];

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
const PLAYERS: &[Player] = &[];

#[async_trait]
impl Speaker for Loudspeaker {
    async fn play(&self, tone: Tone, volume: u32) -> Result<(), SoundError> {
        self.try_all(PLAYERS, tone, volume).await
    }
}

impl Loudspeaker {
    async fn try_all(&self, players: &'static [Player], tone: Tone, volume: u32) -> Result<(), SoundError> {
        let last = self.last.clone();
        // Players are waited for, off the runtime's threads.
        let played = tokio::task::spawn_blocking(move || {
            let file = Sheet::write(tone, volume).map_err(|_| SoundError::NoDevice)?;
            let first = last.load(Ordering::Relaxed);
            let until = Instant::now() + PATIENCE;
            for at in (first..players.len()).chain(0..first.min(players.len())) {
                match players[at].play(&file.0, until) {
                    Some(true) => {
                        last.store(at, Ordering::Relaxed);
                        return Ok(());
                    }
                    Some(false) => {}
                    None => return Err(SoundError::TimedOut(PATIENCE)),
                }
            }
            Err(SoundError::NoDevice)
        });
        played.await.unwrap_or(Err(SoundError::NoDevice))
    }
}

impl Player {
    /// Whether it played; `None`: it was ended because its time was over.
    fn play(&self, file: &Path, until: Instant) -> Option<bool> {
        let started = Command::new(self.program)
            .args((self.arguments)(file))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = started else { return Some(false) };
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status.success()),
                Ok(None) if Instant::now() < until => std::thread::sleep(LOOK),
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return None;
                }
            }
        }
    }
}

/// A sound file of our own that goes with its owner.
struct Sheet(PathBuf);

impl Sheet {
    fn write(tone: Tone, volume: u32) -> io::Result<Self> {
        let name = format!("floorwalker-{}-{tone:?}-{volume}.wav", std::process::id());
        let sheet = Self(std::env::temp_dir().join(name));
        std::fs::write(&sheet.0, tone::wav(tone, volume))?;
        Ok(sheet)
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: Player = Player { program: "floorwalker-no-such-player", arguments: file_only };

    #[tokio::test]
    async fn a_machine_without_a_player_says_so_at_once() {
        let speaker = Loudspeaker::default();
        let play = |players| speaker.try_all(players, Tone::One, 10);
        assert_eq!(play(&[]).await, Err(SoundError::NoDevice));
        assert_eq!(play(&[NOBODY]).await, Err(SoundError::NoDevice));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_player_that_works_is_found_and_kept() {
        const REFUSES: Player = Player { program: "false", arguments: file_only };
        const WORKS: Player = Player { program: "true", arguments: file_only };
        let speaker = Loudspeaker::default();
        assert_eq!(speaker.try_all(&[NOBODY, REFUSES, WORKS], Tone::Two, 10).await, Ok(()));
        assert_eq!(speaker.last.load(Ordering::Relaxed), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_player_that_hangs_is_ended() {
        let hangs = Player { program: "sleep", arguments: |_| vec!["60".into()] };
        assert_eq!(hangs.play(Path::new("x.wav"), Instant::now()), None);
    }

    #[test]
    fn the_file_goes_when_it_was_played() {
        let sheet = Sheet::write(Tone::Two, 33).unwrap();
        let path = sheet.0.clone();
        assert!(path.exists());
        drop(sheet);
        assert!(!path.exists());
    }
}
