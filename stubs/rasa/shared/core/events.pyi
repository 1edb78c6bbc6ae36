from datetime import datetime
from typing import Any

class Event:
    timestamp: float
    def as_dict(self) -> dict[str, Any]: ...
    @staticmethod
    def from_parameters(parameters: dict[str, Any]) -> Event: ...

class ActionExecuted(Event):
    action_name: str | None
    def __init__(self, action_name: str | None = ...) -> None: ...

class SessionStarted(Event): ...

class UserUttered(Event):
    message_id: str | None
    def __init__(self, text: str | None = ...) -> None: ...

class ReminderScheduled(Event):
    name: str
    trigger_date_time: datetime

class ReminderCancelled(Event):
    name: str | None
    intent: str | None
    entities: list[dict[str, Any]] | None
