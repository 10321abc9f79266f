"""The local Spotify: Web API requests and token requests come in, Spotify's objects go out."""
