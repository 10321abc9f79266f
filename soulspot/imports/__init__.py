"""Tables, DDEX release messages and other databases in; one `ImportRow` a track without a file out.
Called by the pipeline's intake, by dataframes and by `soulspot import`."""

__all__ = ["cells", "columns", "files", "rows", "sql"]
