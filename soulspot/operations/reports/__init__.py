"""A service before and after an operation in; its cost, its errors and its waits out, as JSON
and as lines for people."""
