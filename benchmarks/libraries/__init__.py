"""Libraries for benchmarks: untidy files made from an invented catalogue, and the truth of each."""
