//! Reading the log: the floor at T is the last keyframe before T and the deltas up to T.

use std::path::Path;

use model::{Id, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    bytes::{Torn, unseal},
    image::Image,
    rows::{Gap, Span, Step},
};
use crate::StoreError;

/// A reading of the log that names the file in its errors.
#[derive(Clone, Copy)]
pub(crate) struct Log<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) path: &'a Path,
}

/// A segment without its keyframe.
pub(crate) struct Segment {
    pub(crate) id: i64,
    pub(crate) at: Timestamp,
    pub(crate) revision: u64,
    pub(crate) after: i64,
    pub(crate) continues: bool,
}

const SEGMENT: &str = "SELECT id, at, revision, after, continues FROM segment";

fn segment(row: &rusqlite::Row<'_>) -> rusqlite::Result<Segment> {
    Ok(Segment {
        id: row.get(0)?,
        at: Timestamp::from_ms(row.get(1)?),
        revision: row.get::<_, i64>(2)? as u64,
        after: row.get(3)?,
        continues: row.get(4)?,
    })
}

/// What came of reading a segment.
pub(crate) struct Read {
    pub(crate) image: Image,
    /// The reading stopped at damage; the image is the floor before it.
    pub(crate) damage: Option<StoreError>,
}

impl Log<'_> {
    fn sql(&self, error: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(self.path, &error)
    }
    fn torn(&self, what: &str, id: i64) -> StoreError {
        StoreError::damaged(self.path, format!("{what} {id} cannot be read"))
    }

    /// The segment written last of those that began at or before `at`. Written last, not begun last:
    /// after a clock that was set back, what was written later is the truth about its time.
    pub(crate) fn segment_at(&self, at: Timestamp) -> Result<Option<Segment>, StoreError> {
        self.db
            .query_row(&format!("{SEGMENT} WHERE at <= ?1 ORDER BY id DESC LIMIT 1"), [at.as_ms()], segment)
            .optional()
            .map_err(|e| self.sql(e))
    }
    fn segments_behind(&self, id: i64) -> Result<Vec<Segment>, StoreError> {
        let mut query =
            self.db.prepare(&format!("{SEGMENT} WHERE id > ?1 ORDER BY id")).map_err(|e| self.sql(e))?;
        let rows = query.query_map([id], segment).map_err(|e| self.sql(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sql(e))
    }

    pub(crate) fn keyframe(&self, of: &Segment) -> Result<Image, StoreError> {
        self.db
            .query_row("SELECT keyframe FROM segment WHERE id = ?1", [of.id], |row| {
                let sealed = row.get_ref(0)?.as_blob()?;
                Ok(unseal(sealed).and_then(|body| Image::keyframe(&body, of.at, of.revision)))
            })
            .map_err(|e| self.sql(e))?
            .map_err(|Torn| self.torn("keyframe", of.id))
    }

    /// Applies a segment's deltas up to `until`; `told` hears of each step.
    pub(crate) fn deltas(
        &self,
        of: &Segment,
        image: &mut Image,
        until: Timestamp,
        mut told: Option<&mut dyn FnMut(Step)>,
    ) -> Result<(), StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT id, segment, at, body FROM delta WHERE id > ?1 ORDER BY id")
            .map_err(|e| self.sql(e))?;
        let mut rows = query.query([of.after]).map_err(|e| self.sql(e))?;
        while let Some(row) = rows.next().map_err(|e| self.sql(e))? {
            let read = || -> rusqlite::Result<_> {
                Ok((
                    row.get(0)?,
                    row.get::<_, i64>(1)?,
                    Timestamp::from_ms(row.get(2)?),
                    row.get_ref(3)?.as_blob()?,
                ))
            };
            let (id, segment, base, sealed): (i64, _, _, _) = read().map_err(|e| self.sql(e))?;
            if segment != of.id {
                break;
            }
            let reborrowed = told.as_mut().map(|t| &mut **t as &mut dyn FnMut(Step));
            let more = unseal(sealed)
                .and_then(|body| image.apply(&body, base, until, reborrowed))
                .map_err(|Torn| self.torn("delta", id))?;
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// The floor at `at`, or as far as it can be read.
    pub(crate) fn read(&self, at: Timestamp) -> Result<Option<Read>, StoreError> {
        let Some(mut segment) = self.segment_at(at)? else { return Ok(None) };
        let mut damage = None;
        let mut image = loop {
            match self.keyframe(&segment) {
                Ok(image) => break image,
                Err(error) if error.is_damage() => {
                    damage.get_or_insert(error);
                    let before = self
                        .db
                        .query_row(
                            &format!("{SEGMENT} WHERE id < ?1 ORDER BY id DESC LIMIT 1"),
                            [segment.id],
                            self::segment,
                        )
                        .optional()
                        .map_err(|e| self.sql(e))?;
                    match (before, damage.take()) {
                        (Some(before), first) => {
                            damage = first;
                            segment = before;
                        }
                        (None, Some(first)) => return Err(first),
                        (None, None) => return Ok(None),
                    }
                }
                Err(error) => return Err(error),
            }
        };
        if let Err(error) = self.deltas(&segment, &mut image, at, None) {
            damage.get_or_insert(error);
        }
        Ok(Some(Read { image, damage }))
    }

    /// Tells the floor at `from` and every step behind it until `until`.
    pub(crate) fn replay(
        &self,
        from: Timestamp,
        until: Timestamp,
        told: &mut dyn FnMut(Step) -> bool,
    ) -> Result<(), StoreError> {
        let first = match self.segment_at(from)? {
            Some(segment) => segment,
            // History begins later: so does the telling.
            None => match self.segments_behind(i64::MIN)?.into_iter().find(|s| s.at <= until) {
                Some(segment) => segment,
                None => return Ok(()),
            },
        };
        let mut image = self.keyframe(&first)?;
        let cut = first.at <= from;
        if cut {
            self.deltas(&first, &mut image, from, None)?;
        }
        let mut goes_on = told(image.whole());
        // The part of this segment behind `from` is told by applying it to the keyframe once more, so
        // that a delta that `from` cuts in two is told from the cut.
        let mut again = self.keyframe(&first)?;
        let later = &mut |step: Step| {
            if goes_on && (!cut || step.at > from) {
                goes_on = told(step);
            }
        };
        self.deltas(&first, &mut again, until, Some(later))?;
        for segment in self.segments_behind(first.id)?.into_iter().filter(|s| s.at <= until) {
            if !goes_on {
                break;
            }
            let mut image = self.keyframe(&segment)?;
            if !segment.continues {
                goes_on = told(image.whole());
            }
            let on = &mut |step: Step| goes_on = goes_on && told(step);
            self.deltas(&segment, &mut image, until, Some(on))?;
        }
        Ok(())
    }

    pub(crate) fn span(&self) -> Result<Option<Span>, StoreError> {
        let one = |sql: &str| -> Result<Option<i64>, StoreError> {
            self.db.query_row(sql, [], |row| row.get(0)).optional().map_err(|e| self.sql(e))
        };
        let Some(from) = one("SELECT at FROM segment ORDER BY id LIMIT 1")? else { return Ok(None) };
        let begun = one("SELECT at FROM segment ORDER BY id DESC LIMIT 1")?.unwrap_or(from);
        let last = one(
            "SELECT until FROM delta WHERE id > (SELECT after FROM segment ORDER BY id DESC LIMIT 1) ORDER BY id DESC LIMIT 1",
        )?;
        let last = Timestamp::from_ms(last.unwrap_or(begun));
        let closed = one("SELECT at FROM closed WHERE id = 1")?.map(Timestamp::from_ms);
        // A sign of life of another run, before the last record, says nothing of this one.
        let until = [closed, crate::port::alive_until(self.path)].into_iter().flatten().fold(last, Ord::max);
        Ok(Some(Span { from: Timestamp::from_ms(from), until }))
    }

    /// Until when the log tells the truth: the last record, or the polite end or the sign of life behind it.
    pub(crate) fn ends(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.span()?.map(|span| span.until))
    }

    pub(crate) fn gaps(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Gap>, StoreError> {
        let mut query = self
            .db
            .prepare(
                "SELECT source, began, ended, why FROM gap
                 WHERE began <= ?2 AND (ended IS NULL OR ended >= ?1) ORDER BY began, id",
            )
            .map_err(|e| self.sql(e))?;
        let rows = query
            .query_map(params![from.as_ms(), until.as_ms()], |row| {
                Ok(Gap {
                    source: row.get::<_, Option<String>>(0)?.map(Id::from),
                    began: Timestamp::from_ms(row.get(1)?),
                    ended: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_ms),
                    why: row.get(3)?,
                })
            })
            .map_err(|e| self.sql(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sql(e))
    }
}
