"""A DDEX release message (ERN 3.8 or 4) in; one `ImportRow` a sound recording out. Called by
`soulspot.imports.files` for .xml files; needs lxml."""
