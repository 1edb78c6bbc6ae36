from asyncio import Transport
from typing import Any, Mapping

from sanic import Sanic
from sanic.response import BaseHTTPResponse

class Request:
    app: Sanic
    method: str
    path: str
    headers: Mapping[str, str]
    transport: Transport
    @property
    def json(self) -> Any: ...
    async def respond(self, *, content_type: str) -> BaseHTTPResponse: ...
