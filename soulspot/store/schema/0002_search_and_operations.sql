-- The search of the track list, what an operation needs to go on after a restart, and what is being refreshed.

-- Words of each row, kept by the triggers below. It stores no text: rows are read from enriched_tracks. `file` is the
-- name of the file without its folders, for rows without a title; `status` is a word too, so that a search among the
-- few failed ones steps over nothing.
CREATE VIRTUAL TABLE track_search USING fts5 (
    title, artist, album, file, status,
    content = '', prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 2"
);
CREATE TRIGGER track_search_come AFTER INSERT ON enriched_tracks BEGIN
    INSERT INTO track_search (rowid, title, artist, album, file, status) VALUES (
        new.track_id, new.title, new.artist, new.album,
        CASE WHEN new.title IS NULL THEN
            substr(CAST(new.path AS TEXT), length(rtrim(CAST(new.path AS TEXT), replace(CAST(new.path AS TEXT), '/', ''))) + 1) END,
        new.status);
END;
CREATE TRIGGER track_search_change AFTER UPDATE OF title, artist, album, path, status ON enriched_tracks
WHEN old.title IS NOT new.title OR old.artist IS NOT new.artist OR old.album IS NOT new.album
     OR old.path IS NOT new.path OR old.status IS NOT new.status BEGIN
    INSERT INTO track_search (track_search, rowid, title, artist, album, file, status) VALUES (
        'delete', old.track_id, old.title, old.artist, old.album,
        CASE WHEN old.title IS NULL THEN
            substr(CAST(old.path AS TEXT), length(rtrim(CAST(old.path AS TEXT), replace(CAST(old.path AS TEXT), '/', ''))) + 1) END,
        old.status);
    INSERT INTO track_search (rowid, title, artist, album, file, status) VALUES (
        new.track_id, new.title, new.artist, new.album,
        CASE WHEN new.title IS NULL THEN
            substr(CAST(new.path AS TEXT), length(rtrim(CAST(new.path AS TEXT), replace(CAST(new.path AS TEXT), '/', ''))) + 1) END,
        new.status);
END;
CREATE TRIGGER track_search_go AFTER DELETE ON enriched_tracks BEGIN
    INSERT INTO track_search (track_search, rowid, title, artist, album, file, status) VALUES (
        'delete', old.track_id, old.title, old.artist, old.album,
        CASE WHEN old.title IS NULL THEN
            substr(CAST(old.path AS TEXT), length(rtrim(CAST(old.path AS TEXT), replace(CAST(old.path AS TEXT), '/', ''))) + 1) END,
        old.status);
END;
INSERT INTO track_search (rowid, title, artist, album, file, status)
SELECT track_id, title, artist, album,
        CASE WHEN title IS NULL THEN
            substr(CAST(path AS TEXT), length(rtrim(CAST(path AS TEXT), replace(CAST(path AS TEXT), '/', ''))) + 1) END,
        status
FROM enriched_tracks;

ALTER TABLE batch_operations ADD COLUMN request TEXT;  -- JSON of the request: enough to resume the operation
CREATE INDEX operations_unfinished ON batch_operations (id) WHERE status IN ('pending', 'processing');

-- Aged answers that are being refreshed.
CREATE INDEX lookups_refreshed ON lookups (lookup_id)
    WHERE state IN ('pending', 'leased') AND answered_at IS NOT NULL;
