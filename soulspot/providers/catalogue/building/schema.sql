-- The catalogue, as it is read. Ids are those of the dump, gids are MBIDs in 16 bytes.
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE term (kind TEXT, id INTEGER, name TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;

CREATE TABLE artist (id INTEGER PRIMARY KEY, gid BLOB, name TEXT, sort_name TEXT, comment TEXT);
CREATE TABLE artist_alias (artist INTEGER, name TEXT);
CREATE TABLE credit_name (
    credit INTEGER, position INTEGER, artist INTEGER, name TEXT, join_phrase TEXT,
    PRIMARY KEY (credit, position)) WITHOUT ROWID;

CREATE TABLE recording (
    id INTEGER PRIMARY KEY, gid BLOB, name TEXT, credit INTEGER, length INTEGER, comment TEXT, video INTEGER);
CREATE TABLE recording_redirect (gid BLOB, id INTEGER);
CREATE TABLE isrc (recording INTEGER, isrc TEXT);
CREATE TABLE link (recording INTEGER, spotify_id TEXT);
CREATE TABLE first_date (recording INTEGER PRIMARY KEY, date TEXT);

CREATE TABLE release_group (id INTEGER PRIMARY KEY, gid BLOB, type INTEGER);
CREATE TABLE secondary_type (release_group INTEGER, type INTEGER);
CREATE TABLE release (
    id INTEGER PRIMARY KEY, gid BLOB, name TEXT, credit INTEGER, release_group INTEGER, status INTEGER,
    barcode TEXT, comment TEXT);
CREATE TABLE release_redirect (gid BLOB, id INTEGER);
CREATE TABLE release_event (release INTEGER, country INTEGER, date TEXT);
CREATE TABLE release_label (release INTEGER, label INTEGER, catalog_number TEXT);
CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE medium (id INTEGER PRIMARY KEY, release INTEGER, position INTEGER, format INTEGER, track_count INTEGER);

-- What is only read while the catalogue is built.
CREATE TABLE staging.track (medium INTEGER, position INTEGER, recording INTEGER, name TEXT);
CREATE TABLE staging.url (id INTEGER PRIMARY KEY, spotify_id TEXT);
CREATE TABLE staging.recording_url (recording INTEGER, url INTEGER);
CREATE TABLE staging.recording_tag (recording INTEGER, tag INTEGER, votes INTEGER);
CREATE TABLE staging.tag (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE staging.genre (name TEXT PRIMARY KEY);
