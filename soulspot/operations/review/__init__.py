"""A track beside its candidates out, a person's decisions in; for `soulspot review` and HTTP."""
