"""Names and titles as text: taken apart, tidied, compared across spellings and scripts."""
