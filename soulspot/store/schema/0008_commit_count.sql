-- The number of commits, which is kept beside the database too (store/commit_mark.py): a database that has fewer than
-- that has lost some. When a lookup was leased is not kept any more: nobody read it.

CREATE TABLE commit_count (commits INTEGER NOT NULL);
INSERT INTO commit_count VALUES (0);
ALTER TABLE lookups DROP COLUMN leased_at;
