"""The truth that the sandbox serves: artists, releases and recordings, and their copies at Spotify.

A seed and a size (`invent`), or a CSV file of Spotify ids (`from_csv`), come in; a frozen
`Catalogue` (`values`) goes out, to the servers, the sample library, the tests and the
benchmarks."""
