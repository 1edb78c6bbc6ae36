"""A store for whoever asks over a pipe: a line of JSON for each request, and one for each answer.

A request is the name of a method of `steadfast.migrate.Store` and its arguments, such as
`["append", {"sender": "me", "events": [...], "stored": 7}]`; an answer is `{"answer": ...}` or `{"error": "sentence"}`.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Iterable, Iterator

from steadfast.errors import SteadfastError
from steadfast.migrate import Store


def serve(store: Store, requests: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Does what is asked of a store, and yields an answer for each request."""
    methods: dict[str, Callable[..., Any]] = {
        "senders": store.senders,
        "events": store.events,
        "append": store.append,
        "probe": store.probe,
    }
    for line in requests:
        method, arguments = json.loads(line)
        try:
            yield {"answer": methods[method](**arguments)}
        except SteadfastError as error:
            yield {"error": str(error)}
