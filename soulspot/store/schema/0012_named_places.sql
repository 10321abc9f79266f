-- Folders outside the library that a person had scanned: like those of library.paths they, and the
-- folders above them, are named after a person's business and not after music. None lies in another.

CREATE TABLE named_places (path BLOB PRIMARY KEY) WITHOUT ROWID;
