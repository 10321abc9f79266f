-- How far an operation has come. It commits together with the rows that it covers.

ALTER TABLE batch_operations ADD COLUMN place TEXT;  -- JSON; what is in it is up to the kind of operation
