"""Judge whether a token is hard to guess."""

import re

MAKE_TOKEN = "`openssl rand -hex 32` makes a good one"
LEAST_LENGTH, LEAST_DISTINCT = 16, 6  # characters; a random hexadecimal number of 64 bits has both
# Words that people put where a token should be, and that guessers try first.
_STOCK = re.compile(
    "please|change.?me|replace.?me|place.?holder|pass.?word|passwd|let.?me.?in|qwert[yz]\\w*|secret|token|api.?key|"
    "example|default|soulspot|admin|insert|random|string|"
    r"\b(?:my|your|here|this|put|test|key|value|long|some|now|a|the|in|of|with)\b"
)
# Runs that are as good as one character.
_RUNS = (
    "0123456789abcdef", "01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
)  # fmt: skip
_RUN_LENGTH = 6


def why_unsendable(token: str) -> str | None:
    """Return why no client can send this token, if that is so."""
    if token != token.strip():
        return "begins or ends with a blank, which no client can send"
    if not token.isprintable():
        return "has characters that no client can send"
    return None


def why_guessable(token: str) -> str | None:
    """Return why a stranger may guess this token; None for a token that is hard to guess."""
    if len(token) < LEAST_LENGTH:
        return f"has fewer than {LEAST_LENGTH} characters"
    if token in (token + token)[1:-1]:
        return "repeats itself"
    if len(set(token)) < LEAST_DISTINCT:
        return f"has fewer than {LEAST_DISTINCT} different characters"
    # What is left without stock phrases and runs is what a guesser does not know.
    unknown = re.sub(r"[^\w]|_", "", _STOCK.sub("", re.sub(r"[\W_]+", " ", token.lower())))
    for run in _RUNS:
        for start in range(len(run) - _RUN_LENGTH + 1):
            unknown = unknown.replace(run[start : start + _RUN_LENGTH], "")
    return "is made of words and rows that everybody tries" if len(unknown) < LEAST_LENGTH // 2 else None
