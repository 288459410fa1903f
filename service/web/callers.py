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
    """A dependency: the caller, whom the middleware has found. Any one of `scopes` will do."""

    def __init__(self, *scopes: Scope) -> None:
        self.scopes = scopes

    async def __call__(
        self, request: Request, _header: Header = None, _bearer: Bearer = None
    ) -> Caller:
        """Raises ScopeMissing."""
        caller: Caller = request.state.caller
        if not any(map(caller.may, self.scopes)):
            raise ScopeMissing(self.scopes[0])
        return caller


def _with(*scopes: Scope) -> object:
    # named once more, so that the OpenAPI document tells what an operation needs
    return Security(RequiredScope(*scopes), scopes=[scope.value for scope in scopes])


Searching = Annotated[Caller, _with(Scope.SEARCH)]
Enrolling = Annotated[Caller, _with(Scope.ENROL)]
Reading = Annotated[Caller, _with(Scope.READ)]
EnrollingOrReading = Annotated[Caller, _with(Scope.ENROL, Scope.READ)]
Exporting = Annotated[Caller, _with(Scope.EXPORT)]
Administering = Annotated[Caller, _with(Scope.ADMIN)]
