"""Albums: releases compared, tracks grouped, editions ranked, and whole albums paired with editions."""
