"""Asks a server of this container whether it is well: `python -m steadfast.healthy http://127.0.0.1:5005/`.

Exit status: 0 if it answers with 200, 1 if it does not, with a sentence on standard error.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

SECONDS = 25


def main(url: str) -> str | None:
    """Returns what is wrong; None if all is well."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return f"{url} answered with {error.code}: {error.read(500).decode(errors='replace')}"
    except OSError as error:
        return f"{url} does not answer: {getattr(error, 'reason', error)}."


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
