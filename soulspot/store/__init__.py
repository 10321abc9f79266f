"""Everything that is kept: the SQLite file, the durable queue, tracks, facts and what was made of them. All SQL is here."""
