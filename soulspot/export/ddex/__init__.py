"""DDEX ERN: release messages out of any records. `ern.py` is the way in, `message.py` writes the XML."""
