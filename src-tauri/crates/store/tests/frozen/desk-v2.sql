-- desk.db as version 2 made it. Frozen: never edited, only joined by later ones.
CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    overlays TEXT NOT NULL,
    source TEXT,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL,
    limit_value REAL,
    unit TEXT NOT NULL,
    n INTEGER,
    pending_since INTEGER,
    fired_at INTEGER,
    resolved_at INTEGER,
    acked_at INTEGER,
    acked_until INTEGER,
    snoozed_until INTEGER,
    inhibited_by TEXT,
    flapping INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    alert TEXT NOT NULL,
    transition TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    source TEXT,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL,
    limit_value REAL,
    unit TEXT NOT NULL,
    n INTEGER,
    actor TEXT NOT NULL,
    source_age_s REAL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX journal_at ON journal (at);
CREATE INDEX journal_alert ON journal (alert);
CREATE TABLE acknowledgement (
    alert TEXT NOT NULL,
    kind TEXT NOT NULL,
    rule TEXT NOT NULL,
    source TEXT,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER,
    actor TEXT NOT NULL,
    PRIMARY KEY (alert, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    alert TEXT,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX note_alert ON note (alert);
CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    alert TEXT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    tries INTEGER NOT NULL,
    reserved_at INTEGER NOT NULL,
    delivered_at INTEGER,
    UNIQUE (alert, kind, channel)
) STRICT;
INSERT INTO note (at, actor, alert, text) VALUES (1769851800000, 'Ada', 'a1', 'called the vendor');
PRAGMA user_version = 2;
-- What version 1 had not.
ALTER TABLE journal ADD COLUMN rule_version TEXT;
