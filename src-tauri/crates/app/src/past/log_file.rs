//! The alert log as a file for other programs: the same columns in the window and by `floorctl alerts`.

use std::{
    io::{Result, Write},
    path::{Path, PathBuf},
};

use model::Timestamp;
use serde_json::Value;

use super::{
    AlertBook, PastError,
    desk::{self, LogLine},
    export::{cells::cell, whole_file},
};
use crate::api::{HistoryFormat, HistoryQuery, NoteRow};

/// In this order; a note is a row of its own, with `note` for its transition.
const COLUMNS: &[&str] = &[
    "at",
    "transition",
    "alert",
    "rule",
    "severity",
    "source",
    "subject_kind",
    "subject_id",
    "subject_name",
    "metric",
    "value",
    "limit",
    "unit",
    "n",
    "actor",
    "source_age_s",
    "reason",
    "rule_version",
    "note",
];

/// So many files of one name and moment; then something is wrong.
const NAMES: u32 = 100;

/// Writes what of the log is wanted into a file of this folder; answers where, and how many lines.
pub fn export_alerts(
    data: &Path,
    query: &HistoryQuery,
    format: HistoryFormat,
    folder: &Path,
    now: Timestamp,
) -> std::result::Result<(PathBuf, usize), PastError> {
    let book = desk::of(data, query, now)?;
    let file = free_name(folder, format, now);
    whole_file(&file, |to| match format {
        HistoryFormat::Csv => alerts_csv(&book, to),
        HistoryFormat::Json => {
            serde_json::to_writer_pretty(&mut *to, &book)?;
            to.write_all(b"\n")
        }
    })?;
    Ok((file, book.log.len()))
}

/// A name that nothing has yet: what was exported before is never written over.
fn free_name(folder: &Path, format: HistoryFormat, now: Timestamp) -> PathBuf {
    let end = match format {
        HistoryFormat::Csv => "csv",
        HistoryFormat::Json => "json",
    };
    // A colon is no part of a name on every system.
    let moment: String = now.to_string().chars().take(19).filter(|c| *c != ':').collect();
    let named = |n: u32| match n {
        1 => folder.join(format!("floorwalker-alerts-{moment}.{end}")),
        n => folder.join(format!("floorwalker-alerts-{moment}-{n}.{end}")),
    };
    (1..NAMES).map(named).find(|file| !file.exists()).unwrap_or_else(|| named(NAMES))
}

/// The log and the notes as rows, oldest first.
pub fn alerts_csv(book: &AlertBook, to: &mut dyn Write) -> Result<()> {
    write!(to, "{}\r\n", COLUMNS.join(","))?;
    let mut notes = book.notes.iter().peekable();
    for line in &book.log {
        while let Some(note) = notes.next_if(|note| note.at < line.at) {
            row(to, &of_note(note))?;
        }
        row(to, &of_line(line)?)?;
    }
    notes.try_for_each(|note| row(to, &of_note(note)))
}

fn row(to: &mut dyn Write, values: &Value) -> Result<()> {
    let cells: Vec<String> = COLUMNS
        .iter()
        .map(|column| match &values[*column] {
            Value::Null => String::new(),
            Value::String(text) => cell(text),
            other => other.to_string(),
        })
        .collect();
    write!(to, "{}\r\n", cells.join(","))
}

/// The fields of the JSON, the subject's beside the others.
fn of_line(line: &LogLine) -> Result<Value> {
    let mut values = serde_json::to_value(line)?;
    for part in ["kind", "id", "name"] {
        values[format!("subject_{part}")] = values["subject"][part].clone();
    }
    Ok(values)
}

fn of_note(note: &NoteRow) -> Value {
    serde_json::json!({
        "at": note.at,
        "transition": "note",
        "alert": note.alert,
        "actor": note.actor,
        "note": note.text,
    })
}
