//! The past as a file for other programs. Written beside its place and renamed: a reader sees all of it
//! or nothing.

pub(super) mod cells;

use std::{
    collections::HashMap,
    fs,
    io::{BufWriter, Write},
    path::Path,
};

use engine::document::{self, Line};
use model::{Id, Source, Timestamp};
use serde_json::Value;
use store::{Logged, Step};

use super::{PastError, floor, then::floor_then};
use crate::runtime::restored;

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One document for an instant; an array of the lines of `watch --json` for a span of time.
    Json,
    /// One row per entity and change.
    Csv,
}

/// Which part of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// One instant.
    At(Timestamp),
    /// A span of time: the floor at its beginning, then every change.
    Span(Timestamp, Timestamp),
}

/// Writes the file (`only`: of this source); gives the sentences that belong to it.
pub fn export(
    data: &Path,
    only: Option<&Id>,
    stretch: Stretch,
    format: Format,
    out: &Path,
    now: Timestamp,
) -> Result<Vec<String>, PastError> {
    match stretch {
        Stretch::At(at) => {
            let then = floor_then(data, only, at, now)?;
            whole_file(out, |to| match format {
                Format::Json => {
                    serde_json::to_writer(&mut *to, &then.document)?;
                    to.write_all(b"\n")
                }
                Format::Csv => {
                    cells::head(to)?;
                    cells::snapshot(to, &value(&then.document), &at.to_string())
                }
            })?;
            Ok(then.notes)
        }
        Stretch::Span(from, until) => span(data, only, from, until.min(now), format, out),
    }
}

fn span(
    data: &Path,
    only: Option<&Id>,
    from: Timestamp,
    until: Timestamp,
    format: Format,
    out: &Path,
) -> Result<Vec<String>, PastError> {
    if from > until {
        return Err(PastError::Backwards { from, until });
    }
    let reader = floor(data, only)?;
    let known = reader.span()?.ok_or(PastError::Empty)?;
    if until < known.from {
        return Err(PastError::TooEarly { at: until, from: known.from });
    }
    let mut notes = Vec::new();
    if from < known.from {
        notes.push(format!("The history begins at {}; so does the file.", known.from));
    }
    for gap in reader.gaps(from, until)?.iter().filter(|gap| gap.source.is_none()) {
        let ended = gap.ended.map_or_else(|| "the end".to_owned(), |at| at.to_string());
        notes.push(format!("Floorwalker was not running from {} to {ended}.", gap.began));
    }
    let mut replayed = Ok(());
    whole_file(out, |to| {
        let mut writer = LineWriter { to, format, first: true, failed: None, known: HashMap::new() };
        writer.begin();
        replayed = reader.replay(from, until, |step| writer.step(step));
        writer.end()
    })?;
    replayed?;
    Ok(notes)
}

struct LineWriter<'a> {
    to: &'a mut dyn Write,
    format: Format,
    first: bool,
    failed: Option<std::io::Error>,
    /// Sources as last told: for their skew, and for what is worth a line.
    known: HashMap<Id, Source>,
}

impl LineWriter<'_> {
    fn attempt(&mut self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(self.to).err();
        }
    }
    fn begin(&mut self) {
        let format = self.format;
        self.attempt(|to| match format {
            Format::Json => to.write_all(b"["),
            Format::Csv => cells::head(to),
        });
    }
    fn end(mut self) -> std::io::Result<()> {
        if self.format == Format::Json {
            self.attempt(|to| to.write_all(b"\n]\n"));
        }
        self.failed.map_or(Ok(()), Err)
    }

    fn step(&mut self, step: Step) {
        let mut told: Vec<Source> = Vec::new();
        let (mut put, mut gone) = (Vec::new(), Vec::new());
        for change in step.changes {
            match change {
                Logged::Upsert(entity) => put.push(restored(entity)),
                Logged::Remove(kind, key) => gone.push((kind, key)),
                Logged::Source(source) => told.push(Source::clone(&source)),
                Logged::SourceGone(id) => {
                    self.known.remove(&id);
                }
            }
        }
        if step.whole {
            self.known = told.iter().map(|s| (s.id.clone(), s.clone())).collect();
            let document = document::past(told, put, Vec::new(), step.revision, step.at);
            return self.line(&Line::Snapshot(Box::new(document)), step.at);
        }
        let mut news = Vec::new();
        for source in told {
            if self.known.get(&source.id).is_none_or(|old| is_news(old, &source)) {
                news.push(source.clone());
            }
            self.known.insert(source.id.clone(), source);
        }
        if !put.is_empty() || !gone.is_empty() {
            let put: Vec<_> = put
                .into_iter()
                .map(|entity| {
                    let skew = self.known.get(&entity.key().source).and_then(|s| s.clock_skew_s);
                    (entity, skew.unwrap_or(0.0))
                })
                .collect();
            self.line(&document::past_change(step.revision, step.at, put, gone), step.at);
        }
        for source in news {
            self.line(&Line::Health { source: Box::new(source) }, step.at);
        }
    }

    fn line(&mut self, line: &Line, at: Timestamp) {
        let (format, first) = (self.format, std::mem::take(&mut self.first));
        self.attempt(|to| match format {
            Format::Json => {
                to.write_all(if first { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut *to, line)?;
                Ok(())
            }
            Format::Csv => cells::line(to, &value(line), &at.to_string()),
        });
    }
}

fn is_news(old: &Source, new: &Source) -> bool {
    (old.health, &old.last_error, old.retry_at, &old.gaps)
        != (new.health, &new.last_error, new.retry_at, &new.gaps)
}

/// The documents have text keys and finite depth, so that this cannot fail.
fn value(document: &impl serde::Serialize) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}

pub(super) fn whole_file(
    file: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), PastError> {
    let failed = |cause| PastError::Write { file: file.display().to_string(), cause };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = file.with_file_name(name);
    let put = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // Names of customers stand in it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut to = BufWriter::new(options.open(&beside)?);
        write(&mut to)?;
        to.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&beside, file)
    };
    put().map_err(|cause| {
        let _ = fs::remove_file(&beside);
        failed(cause)
    })
}
