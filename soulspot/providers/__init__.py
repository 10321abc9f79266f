"""One module an upstream API: it builds requests and parses answers, and nothing else."""
