-- Progress of imports from other databases.

CREATE TABLE sql_imports (
    source     TEXT PRIMARY KEY,   -- digest of database (without password), query and key columns
    name       TEXT NOT NULL,      -- the database as people may see it
    position   TEXT NOT NULL,      -- JSON of the last key that was taken
    rows       INTEGER NOT NULL,   -- taken so far
    updated_at TEXT NOT NULL
) WITHOUT ROWID;
