"""A track beside its candidates out, the decisions of a person in. Called by `soulspot review`
and by HTTP."""
