"""Web pages behind a request without a key: which of them are strangers.

Where anonymous use is allowed on a loopback address, any page on the internet may have the browser
of somebody on this machine send requests to it. Such a page is told by the origin it comes from,
or, where its name was made to lead to this machine (DNS rebinding), by that name.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from service.wiring import Access


class Anonymity:
    """Which requests without a key may do what a trusted caller may."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, headers: Headers) -> bool:
        return (
            self._access.anonymous
            and not self._is_of_strange_page(headers)
            and (self._access.any_host or _is_this_machine(headers.get("host", "")))
        )

    def _is_of_strange_page(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._access.origins:
            return False
        return origin.partition("://")[2] != headers.get("host")


def _is_this_machine(host: str) -> bool:
    """Whether the name in the Host header is one that nobody else can make lead here."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
