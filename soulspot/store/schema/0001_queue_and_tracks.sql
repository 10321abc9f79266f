-- The library's tracks, the durable queue of lookups, the facts they brought and the decisions on them.
-- Times are UTC ISO 8601 text with milliseconds ("2026-11-22T01:35:22.123Z"), which sorts as it reads.

CREATE TABLE tracks (
    track_id    INTEGER PRIMARY KEY,
    path        BLOB UNIQUE,            -- bytes as the file system has them; NULL for a track without a file
    source_key  TEXT UNIQUE,            -- the importer's own key
    fold_key    TEXT UNIQUE,            -- content of an imported row without key: equal rows are one track
    size        INTEGER,
    mtime_ns    INTEGER,
    inode       INTEGER,
    tags        TEXT NOT NULL,          -- JSON of models.TrackTags
    unreadable  TEXT,                   -- why the file could not be read, for a person
    album_key   BLOB,                   -- tracks of one key are one album; NULL for a track of none
    album       TEXT,                   -- the album's name and artist by this track's own tags;
    album_lead  TEXT,                   -- an empty artist says that it is a compilation
    undecided   INTEGER NOT NULL DEFAULT 1,  -- 1 until it has been decided for the first time, or since it changed
    added_at    TEXT NOT NULL,
    changed_at  TEXT NOT NULL,
    scan_id     INTEGER,                -- the last scan that saw it
    vanished_at TEXT                    -- set while the file is gone; the row and its answers stay
);
CREATE INDEX tracks_by_stamp ON tracks (size, mtime_ns, inode) WHERE path IS NOT NULL;
CREATE INDEX tracks_undecided ON tracks (track_id) WHERE undecided;
CREATE INDEX tracks_by_album ON tracks (album_key, album_lead, album) WHERE album_key IS NOT NULL AND vanished_at IS NULL;
CREATE INDEX tracks_by_scan ON tracks (scan_id) WHERE path IS NOT NULL;

CREATE TABLE lookups (
    lookup_id   INTEGER PRIMARY KEY,
    provider    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    query       TEXT NOT NULL,          -- canonical JSON of the terms
    hint        TEXT NOT NULL DEFAULT '{}',
    state       TEXT NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'leased', 'done', 'missing', 'failed', 'buried')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    misses      INTEGER NOT NULL DEFAULT 0,
    due_at      TEXT NOT NULL,          -- pending: not before; done and missing: when to ask again
    leased_at   TEXT,
    last_error  TEXT,
    answer      TEXT NOT NULL DEFAULT '[]',  -- JSON list of [provider, kind, entity_id]: the facts that answer it
    created_at  TEXT NOT NULL,
    answered_at TEXT,
    UNIQUE (provider, kind, query)
);
CREATE INDEX lookups_waiting ON lookups (provider, kind, due_at, lookup_id) WHERE state = 'pending';
CREATE INDEX lookups_by_state ON lookups (state, due_at);
CREATE INDEX lookups_oldest ON lookups (created_at) WHERE state IN ('pending', 'leased');

CREATE TABLE lookup_totals (            -- counts of lookups, which would take a full scan; kept by the triggers below
    provider TEXT NOT NULL,
    kind     TEXT NOT NULL,
    state    TEXT NOT NULL,
    lookups  INTEGER NOT NULL,
    PRIMARY KEY (provider, kind, state)
) WITHOUT ROWID;
CREATE TRIGGER lookups_come AFTER INSERT ON lookups BEGIN
    INSERT INTO lookup_totals VALUES (new.provider, new.kind, new.state, 1)
        ON CONFLICT (provider, kind, state) DO UPDATE SET lookups = lookups + 1;
END;
CREATE TRIGGER lookups_change AFTER UPDATE OF state ON lookups WHEN old.state != new.state BEGIN
    UPDATE lookup_totals SET lookups = lookups - 1
        WHERE provider = old.provider AND kind = old.kind AND state = old.state;
    INSERT INTO lookup_totals VALUES (new.provider, new.kind, new.state, 1)
        ON CONFLICT (provider, kind, state) DO UPDATE SET lookups = lookups + 1;
END;
CREATE TRIGGER lookups_go AFTER DELETE ON lookups BEGIN
    UPDATE lookup_totals SET lookups = lookups - 1
        WHERE provider = old.provider AND kind = old.kind AND state = old.state;
END;

-- Partial indexes: `status` counts the few unreadable and vanished tracks among many.
CREATE INDEX tracks_unreadable ON tracks (unreadable) WHERE unreadable IS NOT NULL;
CREATE INDEX tracks_vanished ON tracks (vanished_at) WHERE vanished_at IS NOT NULL;

CREATE TABLE track_lookups (
    track_id  INTEGER NOT NULL REFERENCES tracks (track_id) ON DELETE CASCADE,
    lookup_id INTEGER NOT NULL REFERENCES lookups (lookup_id) ON DELETE CASCADE,
    PRIMARY KEY (track_id, lookup_id)
) WITHOUT ROWID;
CREATE INDEX track_lookups_by_lookup ON track_lookups (lookup_id, track_id);

CREATE TABLE facts (
    provider   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    entity_id  TEXT NOT NULL,
    fields     TEXT NOT NULL,           -- JSON, names as in docs/reference/fields.md
    said       TEXT NOT NULL DEFAULT '{}',  -- JSON: lookup kind -> names of the fields that it said last
    fetched_at TEXT NOT NULL,
    PRIMARY KEY (provider, kind, entity_id)
) WITHOUT ROWID;

CREATE TABLE candidates (               -- what review shows; rewritten whenever the track is decided anew
    track_id  INTEGER NOT NULL REFERENCES tracks (track_id) ON DELETE CASCADE,
    provider  TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    rank      INTEGER NOT NULL,
    score     REAL NOT NULL,
    verdict   TEXT NOT NULL,
    reasons   TEXT NOT NULL,            -- JSON list of sentences
    PRIMARY KEY (track_id, provider, entity_id)
) WITHOUT ROWID;

CREATE TABLE decisions (                -- of people; they outlive refreshes and follow moved files
    track_id  INTEGER NOT NULL REFERENCES tracks (track_id) ON DELETE CASCADE,
    provider  TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    verdict   TEXT NOT NULL CHECK (verdict IN ('accepted', 'rejected')),
    by        TEXT NOT NULL,
    at        TEXT NOT NULL,
    reason    TEXT,
    PRIMARY KEY (track_id, provider, entity_id)
) WITHOUT ROWID;

CREATE TABLE batch_operations (
    id               INTEGER PRIMARY KEY,
    kind             TEXT NOT NULL,
    status           TEXT NOT NULL DEFAULT 'pending'
                     CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    total_items      INTEGER NOT NULL DEFAULT 0,
    processed_items  INTEGER NOT NULL DEFAULT 0,
    successful_items INTEGER NOT NULL DEFAULT 0,
    failed_items     INTEGER NOT NULL DEFAULT 0,
    error_message    TEXT,
    metadata         TEXT NOT NULL DEFAULT '{}',
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    completed_at     TEXT
);

CREATE TABLE provider_state (           -- capabilities, pauses, budgets: what must outlive the process
    key           TEXT PRIMARY KEY,
    provider      TEXT NOT NULL,
    value         TEXT NOT NULL,        -- JSON
    blocked_until TEXT,
    updated_at    TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE events (                   -- the outbox
    event_id     INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,
    payload      TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    delivered_at TEXT
);
CREATE INDEX events_waiting ON events (event_id) WHERE delivered_at IS NULL;

CREATE TABLE counters (                 -- running totals that `status` and the log read
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
