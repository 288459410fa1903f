"""Who is calling, as the routes ask for it."""

from typing import Annotated

from fastapi import Depends, Request

from service.domain.keys import Caller, Scope
from service.errors import ScopeMissing


def _may(scope: Scope) -> object:
    def allowed(request: Request) -> Caller:
        """The caller, whom the middleware has found; raises ScopeMissing."""
        caller: Caller = request.state.caller
        if not caller.may(scope):
            raise ScopeMissing(scope)
        return caller

    return Depends(allowed)


Searching = Annotated[Caller, _may(Scope.SEARCH)]
Enrolling = Annotated[Caller, _may(Scope.ENROL)]
Reading = Annotated[Caller, _may(Scope.READ)]
Exporting = Annotated[Caller, _may(Scope.EXPORT)]
Administering = Annotated[Caller, _may(Scope.ADMIN)]
