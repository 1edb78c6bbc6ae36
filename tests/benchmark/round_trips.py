"""Counts the round trips between a client and its server: a TCP proxy on loopback that knows no protocol."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress


class CountingProxy:
    """Hands everything on between its own port and a server.

    What a client sends is a round trip where the server spoke last; however many packets a request has, it is one.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        count: Round trips so far, of all connections.
    """

    def __init__(self, host: str, port: int) -> None:
        """Listens, and hands on to that server."""
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.count = 0
        self._counting = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(self._target)
            threading.Thread(target=self._hand_on, args=(client, server), daemon=True).start()

    def _hand_on(self, client: socket.socket, server: socket.socket) -> None:
        is_asking = False
        with client, server, suppress(OSError):
            while True:
                # A server that speaks unasked, as some do at first, is heard before the client asks.
                speaker = server if server in select.select([client, server], [], [])[0] else client
                data = speaker.recv(65536)
                if not data:
                    return
                if speaker is client and not is_asking:
                    with self._counting:
                        self.count += 1
                is_asking = speaker is client
                (server if is_asking else client).sendall(data)
