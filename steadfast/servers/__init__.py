"""Conversations on a server, append only: one module per kind of server, all with the contract of `server.Server`."""
