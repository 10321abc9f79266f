"""A query over another database in; pages of rows with their keys out. Called by `soulspot import`
with a database's URL; needs SQLAlchemy."""
