-- Whether a track has come to a result since it came in or changed. A track whose result is taken
-- back, by new rules say, is not counted as another one when it comes to the next.

ALTER TABLE tracks ADD COLUMN has_result INTEGER NOT NULL DEFAULT 0;
UPDATE tracks SET has_result = 1 WHERE track_id IN (SELECT track_id FROM enriched_tracks WHERE status != 'pending');
