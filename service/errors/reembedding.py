"""What stands in the way of a gallery's move to another embedding space."""

from service.errors.bases import RequestError


class NoOtherSpace(RequestError):
    code = "no_other_space"

    def __init__(self, gallery: str) -> None:
        super().__init__(
            f"Gallery '{gallery}' is embedded in one space only; `facematch gallery reembed` gives "
            "it a second one."
        )


class OtherSpaceExists(RequestError):
    code = "other_space_exists"

    def __init__(self, gallery: str, space: str) -> None:
        super().__init__(
            f"Gallery '{gallery}' has another second space already ({space}); go on with that one, "
            "or give it up first with `facematch gallery discard`."
        )


class FacesMissing(RequestError):
    """Some faces have no embedding where they would be needed from now on."""

    code = "faces_missing"

    def __init__(self, gallery: str, missing: int) -> None:
        super().__init__(
            f"{missing} faces of gallery '{gallery}' could not be found by any search afterwards; "
            "nothing was changed. `facematch gallery missing` lists them: enrol them anew, or "
            f"leave them behind with --leave-behind {missing}."
        )
        self.facts = {"missing": missing}
