"""A TCP proxy on loopback that breaks connections at the worst moment."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Proxy:
    """Hands everything on between its own port and a server, until told otherwise.

    Attributes:
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, host: str, port: int) -> None:
        """Listen, and hand on to that server."""
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        # None: hand on. Otherwise: the bytes in a request after which the answer is swallowed.
        self._swallow_after: bytes | None = None
        self._swallows = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_answer_to(self, request: bytes) -> None:
        """Hand the next request with these bytes on, and cut the connection when the answer comes."""
        self._swallow_after = request

    def cut(self) -> None:
        """Cut all connections."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def close(self) -> None:
        """Cut all connections and take no more."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._connections += [client, server]
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self._swallow_after is not None and self._swallow_after in data:
                    self._swallow_after = None
                    self._swallows.set()
                server.sendall(data)
        self._end(client, server)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self._swallows.is_set():
                    self._swallows.clear()
                    break
                client.sendall(data)
        self._end(client, server)

    @staticmethod
    def _end(*connections: socket.socket) -> None:
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
