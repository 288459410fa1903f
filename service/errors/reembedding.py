"""What stands in the way of a gallery's move to another embedding space."""

from collections.abc import Mapping

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


class ReplicasNotReady(RequestError):
    """Live replicas have not said that they can search the gallery in its other space."""

    code = "replicas_not_ready"

    def __init__(self, gallery: str, model: str, replicas: Mapping[str, bool]) -> None:
        """`replicas` by name, each with whether it is of an older release."""
        names = ", ".join(
            f"{name} (of an older release)" if older else name for name, older in replicas.items()
        )
        super().__init__(
            f"Not every replica can search gallery '{gallery}' in its other space yet: {names}. "
            f"Nothing was changed. Run `facematch models pull {model}` on their machines, upgrade "
            "those of an older release, and try again: each loads the model by itself within some "
            "seconds, or its log says why it cannot. Or switch all the same with "
            "--even-if-unready: then they refuse that gallery's searches as long as they lack the "
            "model (model_unavailable)."
        )
        self.facts = {"replicas": list(replicas)}
