from typing import Any

class EventBroker:
    def publish(self, event: dict[str, Any]) -> None: ...
