-- Front covers that were fetched, or were not there. The images themselves are files, named by their digests.

CREATE TABLE covers (
    url           TEXT PRIMARY KEY,
    digest        TEXT,                 -- SHA-256 of the image; NULL when there was none
    kind          TEXT,                 -- its media type
    size          INTEGER,              -- in bytes
    used_at       TEXT NOT NULL,
    missing_until TEXT                  -- when to ask again for one that was not there
) WITHOUT ROWID;
CREATE INDEX covers_by_use ON covers (used_at) WHERE digest IS NOT NULL;
