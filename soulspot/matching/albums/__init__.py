"""Albums: releases compared, tracks grouped, editions ranked, albums paired with editions."""
