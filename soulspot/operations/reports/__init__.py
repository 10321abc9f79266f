"""A service's counters in; performance, errors and waits out, as JSON and as lines for people."""
