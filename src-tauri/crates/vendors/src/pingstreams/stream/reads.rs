//! What a visit reads over REST beside the feed, and what becomes of the answers.

use tokio::time::Instant;

use super::{End, LIST, Read, Reader, RestError, Roster, Row, Shape, Source, Visit, sentence_of};

impl Visit<'_> {
    fn reader(&self) -> Reader {
        Reader {
            config: self.source.config.clone(),
            http: self.source.http.clone(),
            token: self.token.secret.clone(),
            notes: self.source.link.notes.clone(),
            dates: self.dates.clone(),
        }
    }

    pub(super) fn read_all(&mut self) {
        let reader = self.reader();
        self.jobs.push(Box::pin(async move { Read::Roster(Box::new(reader.roster().await)) }));
        self.read_open(0);
    }

    fn read_open(&mut self, pass: u8) {
        let (reader, asked) = (self.reader(), self.source.count + 1);
        self.jobs.push(Box::pin(async move {
            Read::Open { asked, pass, rows: reader.open_conversations().await }
        }));
    }

    pub(super) async fn read(&mut self, read: Read) -> Result<(), End> {
        self.dates.teach(&mut self.source.session.skew);
        match read {
            Read::Roster(roster) => self.roster(*roster).await?,
            Read::Open { asked, pass, rows } => self.open(asked, pass, rows),
        }
        self.settle().await
    }

    pub(super) async fn roster(&mut self, roster: Roster) -> Result<(), End> {
        self.parts.roster = true;
        self.parts.failed.retain(|part, _| *part == "conversations");
        let source = &mut *self.source;
        let mut failed = None;
        for (part, error) in [
            ("agents", roster.members.as_ref().err()),
            ("departments", roster.departments.as_ref().err()),
            ("groups", roster.groups.as_ref().err()),
        ] {
            let Some(error) = error else { continue };
            failed = failed.or(Some(error.clone()));
            let sentence = sentence_of(&source.config, error);
            self.parts.failed.insert(part, sentence);
        }
        if let Ok(rows) = &roster.members {
            source.floor.members(rows);
            source.session.data(source.link.clock.now());
        }
        source.floor.structure(
            roster.departments.as_deref().ok(),
            roster.groups.as_ref().ok().and_then(|g| g.as_deref()),
            roster.limit.as_ref().ok().copied(),
        );
        if let Some(error) = failed {
            self.rest_failed(&error).await?;
        }
        self.follow_members().await
    }

    async fn rest_failed(&mut self, error: &RestError) -> Result<(), End> {
        let now = Instant::now();
        match error {
            RestError::Token => {
                let source = &mut *self.source;
                if source.auth.refused(&source.config, &self.token).await {
                    let now = source.now();
                    // The socket stays: it was let in. Only the reads need a fresh token.
                    let Source { auth, config, http, session, .. } = source;
                    let heard = |answer: &_| session.skew.learn(answer);
                    if let Ok(token) = auth.token(config, http, now, heard).await {
                        self.token = token;
                        self.resync_at = self.resync_at.min(Instant::now() + self.pace.soon);
                    }
                }
            }
            RestError::Forbidden { stranger } => self.parts.stranger |= *stranger,
            RestError::NoProject if !self.is_live() => {
                return Err(End::Misconfigured(sentence_of(&self.source.config, error)));
            }
            RestError::NoProject => {}
            RestError::Throttled(wait) => {
                self.resync_at = now + wait.unwrap_or(self.pace.resync).max(self.pace.soon)
            }
            RestError::Failed(_) => self.resync_at = self.resync_at.min(now + self.pace.soon),
        }
        Ok(())
    }

    pub(super) fn open(&mut self, asked: u64, pass: u8, rows: Result<Vec<Row>, RestError>) {
        let source = &mut *self.source;
        let first = !self.parts.open;
        match rows {
            Ok(rows) => {
                let seen = source.seen();
                source.count += 1;
                for row in &rows {
                    source.floor.conversation(row, Shape::State, seen, source.count);
                }
                source.session.data(source.link.clock.now());
                // A list of several pages moves while it is read: what is missing is looked for twice.
                if pass == 0 && rows.len() >= LIST && source.floor.has_untouched(asked) {
                    let (reader, asked) = (self.reader(), asked);
                    self.jobs.push(Box::pin(async move {
                        Read::Open { asked, pass: 1, rows: reader.open_conversations().await }
                    }));
                    return;
                }
                (self.parts.open, self.parts.complete) = (true, true);
                self.parts.failed.remove("conversations");
                // While only a part is visible, a list says nothing about the rest; a first list does,
                // because nothing older than this connection can be trusted.
                if first || source.floor.whole {
                    source.floor.sweep(asked);
                }
            }
            Err(error) => {
                self.parts.open = true;
                if let RestError::Throttled(wait) = &error {
                    self.resync_at = Instant::now() + wait.unwrap_or(self.pace.resync).max(self.pace.soon);
                }
                // A first list that was not full is complete by itself.
                if self.parts.list.is_none_or(|n| n >= LIST) {
                    let sentence = sentence_of(&self.source.config, &error);
                    self.parts.failed.insert("conversations", sentence);
                    self.resync_at = self.resync_at.min(Instant::now() + self.pace.soon);
                }
            }
        }
    }
}
