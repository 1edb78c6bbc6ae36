from rasa.core.channels.channel import InputChannel
from sanic import Sanic

def configure_app(input_channels: list[InputChannel] | None = ..., *, enable_api: bool = ...) -> Sanic: ...
