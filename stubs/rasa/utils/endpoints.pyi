from typing import Any

from sanic.request import Request

class EndpointConfig:
    url: str | None
    kwargs: dict[str, Any]
    def __init__(self, *, url: str | None = ...) -> None: ...
    @classmethod
    def from_dict(cls, dct: dict[str, Any]) -> EndpointConfig: ...

def bool_arg(request: Request, name: str, default: bool = ...) -> bool: ...
