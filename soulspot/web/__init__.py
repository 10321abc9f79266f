"""The daemon's HTTP side: routes, and the guards that every request passes."""
