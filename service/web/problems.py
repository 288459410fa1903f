"""Errors as HTTP answers, `{"detail", "code"}` and seldom more, and the table of status codes."""

from collections.abc import Mapping

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service import errors
from service.domain.keys import Caller, Scope

VERSION_HEADER = "X-Gallery-Version"
MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[errors.FacematchError], int] = {
    errors.NoFileUploaded: 400,
    errors.RequestInvalid: 422,
    errors.FaceNotDetected: 400,
    errors.SeveralFaces: 400,
    errors.FaceUnfit: 400,
    errors.ImageDamaged: 400,
    errors.ImageTooLarge: 413,
    errors.ImageTypeUnsupported: 415,
    errors.EmbeddingInvalid: 400,
    errors.Unauthenticated: 401,
    errors.ScopeMissing: 403,
    errors.RateLimited: 429,
    errors.TooManyFailures: 429,
    errors.KeyNotFound: 404,
    errors.KeyEnded: 409,
    errors.GalleryExists: 409,
    errors.GalleryNotFound: 404,
    errors.NameUnconfirmed: 409,
    errors.PreconditionFailed: 412,
    errors.AttemptInFlight: 409,
    errors.AttemptDiffers: 422,
    errors.AttemptErased: 410,
    errors.ConsentMissing: 409,
    errors.ConsentNotFound: 404,
    errors.ErasureNotFound: 404,
    errors.SubjectExists: 409,
    errors.SubjectNotFound: 404,
    errors.SubjectExpired: 409,
    errors.SubjectFull: 409,
    errors.FaceExists: 409,
    errors.FaceNotFound: 404,
    errors.ModelNotFound: 404,
    errors.SpaceMismatch: 409,
    errors.NoOtherSpace: 409,
    errors.OtherSpaceExists: 409,
    errors.FacesMissing: 409,
    errors.ReplicasNotReady: 409,
    errors.ImportInvalid: 400,
    errors.ImportTooLarge: 413,
    errors.ItemInvalid: 422,
    errors.JobNotFound: 404,
    errors.PhotographKnown: 409,
    errors.PhotographDamaged: 409,
    errors.PhotographKeyMissing: 409,
    errors.PersonKnown: 409,
    errors.UnlikeSubject: 409,
    errors.VersionLost: 409,
    errors.GalleryFull: 409,
    errors.DatabaseUnavailable: 503,
    errors.DatabaseBusy: 503,
    errors.GalleryNotReady: 503,
    errors.GalleryMoved: 503,
    errors.GalleryBehind: 503,
    errors.AuditBehind: 503,
    errors.ModelUnavailable: 503,
    errors.Overloaded: 503,
}

HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: errors.ImageTooLarge.code,
}


def install(app: FastAPI) -> None:
    """Make every error that leaves the app a clear JSON answer."""
    app.add_exception_handler(errors.FacematchError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)


def problem(
    path: str,
    status: int,
    detail: str,
    code: str,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> JSONResponse:
    """The body of a refusal: RFC 9457's under /v1, `{"detail", "code"}` elsewhere."""
    # it may repeat what was sent, and half surrogates cannot be sent back
    text = detail.encode(errors="replace").decode()
    body = {"detail": text, "code": code, **more}
    if not path.startswith("/v1/"):
        return JSONResponse(body, status, headers)
    head = {
        "type": f"urn:facematch:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
    }
    content = {**head, **body, "request_id": correlation_id.get()}
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.FacematchError)
    caller: Caller | None = getattr(request.state, "caller", None)
    readable = caller is not None and caller.may(Scope.READ)
    return refusal(request.url.path, error, readable=readable)


def refusal(path: str, error: errors.FacematchError, *, readable: bool = False) -> JSONResponse:
    """The answer to what was refused on purpose; `readable`: the caller may know by whom."""
    headers = {}
    if isinstance(error, errors.UnavailableError | errors.RateLimited | errors.TooManyFailures):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.RequestError) and error.gallery_version is not None:
        headers[VERSION_HEADER] = error.gallery_version
    more: dict[str, object] = {}
    if isinstance(error, errors.FaceUnfit):
        more = {"reasons": list(error.reasons)}
    elif readable and isinstance(error, errors.RequestError):
        more = dict(error.facts)
    return problem(path, STATUS[type(error)], str(error), error.code, headers, **more)


def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    places = [tuple(str(part) for part in problem["loc"]) for problem in error.errors()]
    if ("body", "file") in places:
        return _refused(request, errors.NoFileUploaded())
    sentences = [
        f"{'.'.join(place[1:]) or place[-1]}: {problem['msg']}"
        for place, problem in zip(places, error.errors(), strict=True)
    ]
    return problem(request.url.path, 422, "; ".join(sentences), errors.RequestInvalid.code)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTP_CODES.get(error.status_code, "http_error")
    return problem(request.url.path, error.status_code, str(error.detail), code, error.headers)


def _bug(request: Request, error: Exception) -> JSONResponse:
    """Our own mistake: the server logs the traceback, the caller never sees it."""
    text = "Internal error; the server's log says more."
    # it leaves past every middleware, that of the ids too
    headers = {"X-Request-ID": correlation_id.get() or ""}
    return problem(request.url.path, 500, text, "internal_error", headers)
