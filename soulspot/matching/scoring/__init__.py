"""Two views of a track in, a comparison of named features, a score and its reasons out; all pure.
`features` holds what is compared, `comparison` how, `rules` the whole table of what it is worth."""
