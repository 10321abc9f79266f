"""Real processes that are given bad input: files, requests, tags, configurations, clocks."""
