"""The action server, waited for: a turn whose action did not run is not acknowledged.

Where it cannot be reached, Rasa 3.6.21 goes on without the action (`rasa/core/processor.py`, `_run_action`): the
message is answered with 200 and nothing, and what the action would have remembered is never known.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from steadfast.servers.server import Unavailable
from steadfast.stores.patience import Patience
from steadfast.turn import current_turn


class PatientActions:
    """Takes the place of Rasa's `EndpointConfig` of the action server, and is like it in all but its patience."""

    def __init__(self, endpoint: Any, seconds: float) -> None:
        """Takes the endpoint, and for how many seconds a request is sent again that found nobody or was cut off."""
        self._endpoint = endpoint
        self._patience = Patience(seconds)

    def __getattr__(self, name: str) -> Any:
        """Gives whatever else the endpoint has."""
        return getattr(self._endpoint, name)

    async def request(self, *arguments: Any, **options: Any) -> Any:
        """Sends a request, again while nobody listens or where the connection breaks off.

        An action that was cut off runs again, as it does when a message is handled anew. An answer that tells of an
        error in the action is left to Rasa.

        Raises:
            aiohttp.ClientConnectionError: Nobody has answered in the end; the current turn is told, and is not stored.
        """
        for failed in self._patience.pauses():
            try:
                return await self._endpoint.request(*arguments, **options)
            except aiohttp.ClientConnectionError as error:
                away = Unavailable(f"The action server at {self._endpoint.url} does not answer: start it.")
                try:
                    pause = failed(away)
                except Unavailable:
                    current_turn().error = away
                    raise error from None
                await asyncio.sleep(pause)
        raise AssertionError("there is always a next try")
