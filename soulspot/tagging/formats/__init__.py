"""An opened audio file in; its tags as fields to read, set and save out, whatever the format.
Called by `soulspot.tagging.tagged_copies`, which opens files by `opening.open_tags`."""
