from types import SimpleNamespace
from typing import Any, Awaitable, Callable, TypeVar

from sanic import response as response

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])

class ErrorHandler:
    def add(self, exception: type[BaseException], handler: Callable[..., Any]) -> None: ...

class Sanic:
    ctx: SimpleNamespace
    error_handler: ErrorHandler
    def register_middleware(self, middleware: Callable[..., Any], attach_to: str) -> None: ...
    def register_listener(self, listener: Callable[..., Any], event: str) -> None: ...

class Blueprint:
    def __init__(self, name: str) -> None: ...
    def register(self, app: Sanic, options: dict[str, Any]) -> None: ...
    def route(self, uri: str, methods: list[str]) -> Callable[[Handler], Handler]: ...
