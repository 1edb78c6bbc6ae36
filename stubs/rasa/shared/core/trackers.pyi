from collections import deque
from typing import Any, Iterable

from rasa.shared.core.events import Event

class DialogueStateTracker:
    sender_id: str
    events: deque[Event]
    slots: dict[str, Any]
    active_loop: Any
    latest_action: Any
    model_id: str | None
    assistant_id: str | None
    # Put there by steadfast.stores.conversations.
    steadfast_mark: Any
    @classmethod
    def from_dict(
        cls,
        sender_id: str,
        events_as_dict: list[dict[str, Any]],
        slots: Iterable[Any] | None = ...,
        max_event_history: int | None = ...,
    ) -> DialogueStateTracker: ...
    def update(self, event: Event) -> None: ...
    def get_latest_input_channel(self) -> str | None: ...
