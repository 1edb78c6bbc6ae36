from typing import Any

class Domain:
    slots: list[Any]
    @classmethod
    def empty(cls) -> Domain: ...
