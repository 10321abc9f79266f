-- What was written into the tags of files, with the way back; and which tracks the daemon has looked at for it.

CREATE TABLE tag_writes (
    write_id      INTEGER PRIMARY KEY,
    operation_id  INTEGER NOT NULL,     -- of batch_operations
    track_id      INTEGER NOT NULL REFERENCES tracks (track_id) ON DELETE CASCADE,
    path          BLOB NOT NULL,        -- of the file itself, links followed
    state         TEXT NOT NULL CHECK (state IN ('prepared', 'written', 'undone')),
    changes       TEXT NOT NULL,        -- JSON: field -> [values before, values after]
    digest        TEXT NOT NULL,        -- SHA-256 of the file before
    way_back      BLOB NOT NULL,        -- what the file had beside its audio: see tagging/undo.py
    size_before   INTEGER NOT NULL,
    mtime_before  INTEGER NOT NULL,
    size_after    INTEGER NOT NULL,
    mtime_after   INTEGER NOT NULL,
    inode_after   INTEGER NOT NULL,
    at            TEXT NOT NULL,
    undone_at     TEXT
);
CREATE INDEX tag_writes_by_operation ON tag_writes (operation_id, write_id);
CREATE INDEX tag_writes_by_track ON tag_writes (track_id, write_id);

-- Copies that are about to take their files' places. A row goes in the transaction that says that it is done; one that
-- a crash leaves behind tells by the stamp of the file whether it was.
CREATE TABLE tag_pending (
    write_id   INTEGER PRIMARY KEY REFERENCES tag_writes (write_id) ON DELETE CASCADE,
    back       INTEGER NOT NULL,        -- 1: the file becomes what it was before
    path       BLOB NOT NULL,
    temporary  BLOB NOT NULL,
    size       INTEGER NOT NULL,        -- the stamp of the copy
    mtime_ns   INTEGER NOT NULL,
    inode      INTEGER NOT NULL,
    tags       TEXT NOT NULL            -- JSON of models.TrackTags: what a scan will read
);
CREATE TABLE tag_folders (              -- where copies may have been left behind
    folder BLOB PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE tag_seen (                 -- tracks whose tags were compared with what was found out
    track_id INTEGER PRIMARY KEY REFERENCES tracks (track_id) ON DELETE CASCADE,
    row_at   TEXT NOT NULL,             -- updated_at of the row of enriched_tracks at that time
    again_at TEXT                       -- after a failure: when to try again
);
