from typing import Any

class Domain:
    slots: list[Any]
    @classmethod
    def empty(cls) -> Domain: ...
    @classmethod
    def load(cls, paths: str) -> Domain: ...
