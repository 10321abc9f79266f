"""Version words ("live", "remix", "radio edit") in titles, comments and album names, by kind."""
