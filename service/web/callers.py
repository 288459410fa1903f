"""Who is calling, as the routes ask for it."""

from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from service.domain.keys import Caller, Scope
from service.errors import ScopeMissing

# for the OpenAPI document: the middleware has read them
Header = Annotated[
    str | None, Security(APIKeyHeader(name="X-API-Key", scheme_name="key", auto_error=False))
]
Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(HTTPBearer(scheme_name="bearer", auto_error=False)),
]


class RequiredScope:
    """A dependency: the caller, whom the middleware has found."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __call__(self, request: Request, _header: Header = None, _bearer: Bearer = None) -> Caller:
        """Raises ScopeMissing."""
        caller: Caller = request.state.caller
        if not caller.may(self._scope):
            raise ScopeMissing(self._scope)
        return caller


def _with(scope: Scope) -> object:
    # named once more, so that the OpenAPI document tells what an operation needs
    return Security(RequiredScope(scope), scopes=[scope.value])


Searching = Annotated[Caller, _with(Scope.SEARCH)]
Enrolling = Annotated[Caller, _with(Scope.ENROL)]
Reading = Annotated[Caller, _with(Scope.READ)]
Exporting = Annotated[Caller, _with(Scope.EXPORT)]
Administering = Annotated[Caller, _with(Scope.ADMIN)]
