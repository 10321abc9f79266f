"""The truth that the sandbox serves: artists, releases, recordings, and their copies at Spotify."""
