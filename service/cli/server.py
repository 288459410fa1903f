"""The HTTP server, which ends without a word only to those who have said nothing."""

import asyncio
import os
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from socket import socket

import uvicorn

LINGER_S = 0.2
"""From when nobody new is let in until connections without a request are closed: whoever has just
connected, for instance by way of a balancer that did not know yet, still gets an answer."""


class Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        listeners = [
            socket(fileno=os.dup(listener.fileno()))
            for server in self.servers
            for listener in server.sockets
        ]
        for server in self.servers:
            server.close()
        await self._take_in(_connected(listeners))
        await asyncio.sleep(LINGER_S)
        await super().shutdown(sockets)

    async def _take_in(self, connections: Iterable[socket]) -> None:
        for connection in list(connections):
            with suppress(OSError):  # it is gone again
                await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes one for whom it accepts."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # the class is any of three
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _connected(listeners: list[socket]) -> Iterator[socket]:
    """Those who have connected and were not taken in yet: they would be reset as the last of the
    listeners closes, which each does here as soon as it has nobody left."""
    for listener in listeners:
        with closing(listener), suppress(OSError):  # nobody is left
            listener.setblocking(False)
            while True:
                yield listener.accept()[0]
