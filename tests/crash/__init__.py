"""Real processes that are killed, starved of disk, or robbed of their files."""
