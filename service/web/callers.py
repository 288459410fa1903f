"""Who is calling, as the routes ask for it."""

from typing import Annotated

from fastapi import Depends, Request

from service.domain.keys import Caller, Scope
from service.errors import ScopeMissing


def _may(*scopes: Scope) -> object:
    """Any one of them will do."""

    def allowed(request: Request) -> Caller:
        """The caller, whom the middleware has found; raises ScopeMissing."""
        caller: Caller = request.state.caller
        if not any(map(caller.may, scopes)):
            raise ScopeMissing(scopes[0])
        return caller

    return Depends(allowed)


Searching = Annotated[Caller, _may(Scope.SEARCH)]
Enrolling = Annotated[Caller, _may(Scope.ENROL)]
Reading = Annotated[Caller, _may(Scope.READ)]
EnrollingOrReading = Annotated[Caller, _may(Scope.ENROL, Scope.READ)]
Exporting = Annotated[Caller, _may(Scope.EXPORT)]
Administering = Annotated[Caller, _may(Scope.ADMIN)]
