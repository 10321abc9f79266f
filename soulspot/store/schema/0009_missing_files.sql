-- Files that a scan did not find: what a person is asked about them before they count as vanished.

CREATE TABLE missing_files (
    place    BLOB PRIMARY KEY,  -- the folder in which they are missing
    tracks   INTEGER NOT NULL,  -- so many are missing
    known    INTEGER NOT NULL,  -- of so many that were known there
    reason   TEXT NOT NULL,     -- why it is not believed that they were deleted, for a person
    scan_id  INTEGER NOT NULL,  -- the last scan that did not find them
    asked_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE library_mounts (   -- folders, in the library or above it, on a disk of their own
    path BLOB PRIMARY KEY
) WITHOUT ROWID;

CREATE INDEX tracks_by_inode ON tracks (inode) WHERE path IS NOT NULL;  -- whether an inode belongs to one file alone
