"""Libraries to measure by: files as people have them, made from an invented catalogue, and the truth of each."""
