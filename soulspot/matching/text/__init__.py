"""Names and titles as text: read apart, tidied, compared across spellings, languages and scripts."""
