-- Steps that follow the loading, each a line of progress ("-- name" begins it).
-- places of recordings
CREATE TABLE place (
    recording INTEGER, medium INTEGER, position INTEGER, name TEXT,
    PRIMARY KEY (recording, medium, position)) WITHOUT ROWID;
INSERT OR IGNORE INTO place
    SELECT t.recording, t.medium, t.position, nullif(t.name, r.name)
    FROM staging.track t JOIN recording r ON r.id = t.recording ORDER BY 1, 2, 3;
DROP TABLE staging.track;
CREATE INDEX place_on ON place (medium);
-- links to Spotify
INSERT INTO link SELECT l.recording, u.spotify_id FROM staging.recording_url l JOIN staging.url u ON u.id = l.url
    ORDER BY 1, 2;
CREATE INDEX link_of ON link (recording, spotify_id);
CREATE INDEX link_to ON link (spotify_id, recording);
-- genres
CREATE TABLE recording_genre (recording INTEGER PRIMARY KEY, genres TEXT);
INSERT INTO recording_genre
    SELECT recording, json_group_array(json_array(name, votes)) FROM (
        SELECT t.recording, g.name, t.votes FROM staging.recording_tag t
        JOIN staging.tag n ON n.id = t.tag JOIN staging.genre g ON g.name = n.name WHERE t.votes > 0)
    GROUP BY recording;
-- identifiers
CREATE INDEX recording_gid ON recording (gid);
CREATE INDEX recording_redirect_gid ON recording_redirect (gid, id);
CREATE INDEX isrc_of ON isrc (recording, isrc);
CREATE INDEX isrc_to ON isrc (isrc, recording);
CREATE INDEX release_gid ON release (gid);
CREATE INDEX release_redirect_gid ON release_redirect (gid, id);
CREATE INDEX artist_gid ON artist (gid);
-- releases
CREATE INDEX medium_of ON medium (release, position);
CREATE INDEX event_of ON release_event (release, date, country);
CREATE INDEX label_of ON release_label (release);
CREATE INDEX secondary_of ON secondary_type (release_group);
-- artists
CREATE INDEX alias_of ON artist_alias (artist);
CREATE TABLE artist_name (key TEXT, artist INTEGER, PRIMARY KEY (key, artist)) WITHOUT ROWID;
INSERT OR IGNORE INTO artist_name SELECT key, artist FROM (
    SELECT name_key(name) AS key, id AS artist FROM artist
    UNION SELECT name_key(sort_name), id FROM artist UNION SELECT latin_name_key(name), id FROM artist
    UNION SELECT name_key(name), artist FROM artist_alias UNION SELECT latin_name_key(name), artist FROM artist_alias
    UNION SELECT name_key(name), artist FROM credit_name)
    WHERE key <> '' ORDER BY 1, 2;
-- misspelt artists
CREATE TABLE slip (number INTEGER, artist INTEGER, PRIMARY KEY (number, artist)) WITHOUT ROWID;
INSERT OR IGNORE INTO slip SELECT s.value, n.artist FROM artist_name n, json_each(slips(n.key)) s ORDER BY 1, 2;
-- titles of artists
CREATE TABLE title (
    artist INTEGER, key TEXT, recording INTEGER, length INTEGER,
    PRIMARY KEY (artist, key, recording)) WITHOUT ROWID;
INSERT OR IGNORE INTO title SELECT c.artist, n.key, n.recording, n.length FROM (
        SELECT id AS recording, credit, length, title_key(name) AS key FROM recording
        UNION ALL SELECT id, credit, length, latin_title_key(name) FROM recording
        UNION ALL SELECT r.id, r.credit, r.length, title_key(p.name)
            FROM place p JOIN recording r ON r.id = p.recording WHERE p.name IS NOT NULL) n
    JOIN credit_name c ON c.credit = n.credit WHERE n.key <> '' ORDER BY 1, 2, 3;
-- albums
CREATE TABLE album (
    key TEXT, artist INTEGER, release INTEGER, tracks INTEGER,
    PRIMARY KEY (key, artist, release)) WITHOUT ROWID;
INSERT OR IGNORE INTO album
    SELECT title_key(r.name), c.artist, r.id, (SELECT sum(track_count) FROM medium m WHERE m.release = r.id)
    FROM release r JOIN credit_name c ON c.credit = r.credit ORDER BY 1, 2, 3;
CREATE INDEX album_by ON album (artist, tracks);
-- statistics for the planner
ANALYZE;
