-- The stage of each track on its way to Spotify, where the tracks of an album wait for each other.

-- 0: searched without its album; 1: waits for the other tracks of its album; 2: done with its album.
ALTER TABLE tracks ADD COLUMN spotify_stage INTEGER NOT NULL DEFAULT 0;
UPDATE tracks SET spotify_stage = 2 WHERE NOT undecided AND track_id IN
    (SELECT track_id FROM enriched_tracks WHERE status <> 'pending');
UPDATE tracks SET undecided = 1 WHERE spotify_stage = 0;

-- The Spotify albums that tracks of an album were found on: `early` by those that were found without it, `late` by
-- those that were then asked about one by one. They are noted once, so that they do not depend on who is asked first.
CREATE TABLE album_finds (
    album_key BLOB PRIMARY KEY,
    early TEXT NOT NULL,
    late TEXT NOT NULL DEFAULT '[]'
) WITHOUT ROWID;
