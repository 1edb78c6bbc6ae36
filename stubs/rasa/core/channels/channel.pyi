from typing import Any, Awaitable, Callable

from sanic import Blueprint

class OutputChannel: ...

class CollectingOutputChannel(OutputChannel):
    messages: list[dict[str, Any]]
    def __init__(self) -> None: ...
    async def _persist_message(self, message: dict[str, Any]) -> None: ...

class UserMessage:
    def __init__(
        self,
        text: str | None = ...,
        output_channel: OutputChannel | None = ...,
        sender_id: str | None = ...,
        parse_data: dict[str, Any] | None = ...,
        input_channel: str | None = ...,
        message_id: str | None = ...,
        metadata: dict[str, Any] | None = ...,
    ) -> None: ...

class InputChannel:
    @classmethod
    def name(cls) -> str: ...
    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint: ...
    def get_output_channel(self) -> OutputChannel | None: ...
