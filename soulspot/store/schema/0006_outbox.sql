-- How far a receiver has been told is kept once for each receiver (provider_state), not in every event.

DROP INDEX events_waiting;
ALTER TABLE events DROP COLUMN delivered_at;
