"""Long runs of a real daemon: the load put on it, samples of what it holds, and its books."""
