"""The servers that the contract is tried on: one module per kind, which this table lists."""

from __future__ import annotations

from tests.servers.backends.backend import Backend
from tests.servers.backends.redis import RedisBackend

# Each system brings another version.
BACKENDS: dict[type[Backend], tuple[str, ...]] = {
    # 6.0, 7.0, 8.0
    RedisBackend: ("debian-11", "debian-12", "debian-13"),
}
