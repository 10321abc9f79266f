"""Real processes against services that fail, lie, redirect, or send what nobody can read."""
