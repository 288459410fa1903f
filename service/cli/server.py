"""The HTTP server, which ends without a word only to those who have said nothing."""

import asyncio
from socket import socket

import uvicorn

LINGER_S = 0.2
"""From when nobody new is let in until connections without a request are closed: whoever has just
connected, for instance by way of a balancer that did not know yet, still gets an answer."""


class Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(LINGER_S)
        await super().shutdown(sockets)
