//! Tapes of what goes between a source and its vendor, for those who asked for them.

use std::{fs, io, path::PathBuf};

use link::{
    Clock, Secret,
    tape::{Tape, Text},
};
use vendors::SourceSettings;

/// Where tapes go, and what becomes of text on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapes {
    /// A folder; each source gets `<id>.tape.jsonl` in it, and one more file when it is started anew.
    pub folder: PathBuf,
    /// What becomes of text that people wrote or that names people.
    pub text: Text,
}

impl Tapes {
    /// Begins a tape of one source. Only its owner may read the file.
    pub(crate) fn begin(
        &self,
        settings: &SourceSettings,
        secret: &Secret,
        clock: &dyn Clock,
    ) -> io::Result<Tape> {
        fs::create_dir_all(&self.folder)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut turn = 1;
        let file = loop {
            let number = if turn == 1 { String::new() } else { format!("-{turn}") };
            match options.open(self.folder.join(format!("{}{number}.tape.jsonl", settings.id))) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && turn < 1000 => turn += 1,
                opened => break opened?,
            }
        };
        let about = (&*settings.id, settings.vendor.as_str());
        Tape::begin(Box::new(io::BufWriter::new(file)), about, secret, self.text, clock.now())
    }
}
