"""Who is calling, as the routes ask for it."""

from typing import Annotated

from fastapi import Depends, Request, Security
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
        self.scope = scope

    def __call__(self, request: Request, _header: Header = None, _bearer: Bearer = None) -> Caller:
        """Raises ScopeMissing."""
        caller: Caller = request.state.caller
        if not caller.may(self.scope):
            raise ScopeMissing(self.scope)
        return caller


Searching = Annotated[Caller, Depends(RequiredScope(Scope.SEARCH))]
Enrolling = Annotated[Caller, Depends(RequiredScope(Scope.ENROL))]
Reading = Annotated[Caller, Depends(RequiredScope(Scope.READ))]
Exporting = Annotated[Caller, Depends(RequiredScope(Scope.EXPORT))]
Administering = Annotated[Caller, Depends(RequiredScope(Scope.ADMIN))]
