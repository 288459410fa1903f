"""Errors as HTTP answers, `{"detail", "code"}` and seldom more, and the table of status codes."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service import errors

VERSION_HEADER = "X-Gallery-Version"

log = logging.getLogger(__name__)

STATUS: dict[type[errors.FacematchError], int] = {
    errors.NoFileUploaded: 400,
    errors.FormInvalid: 422,
    errors.FaceNotDetected: 400,
    errors.SeveralFaces: 400,
    errors.FaceUnfit: 400,
    errors.ImageDamaged: 400,
    errors.ImageTooLarge: 413,
    errors.ImageTypeUnsupported: 415,
    errors.EmbeddingInvalid: 400,
    errors.SubjectExists: 409,
    errors.SubjectNotFound: 404,
    errors.FaceExists: 409,
    errors.VersionLost: 409,
    errors.GalleryFull: 409,
    errors.DatabaseUnavailable: 503,
    errors.DatabaseBusy: 503,
    errors.GalleryNotReady: 503,
    errors.GalleryBehind: 503,
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
    status: int, detail: str, code: str, headers: dict[str, str] | None = None, **more: object
) -> JSONResponse:
    return JSONResponse({"detail": detail, "code": code, **more}, status, headers)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.FacematchError)
    return refusal(error)


def refusal(error: errors.FacematchError) -> JSONResponse:
    """The answer to what was refused on purpose."""
    headers = None
    if isinstance(error, errors.UnavailableError):
        headers = {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, errors.RequestError) and error.gallery_version is not None:
        headers = {VERSION_HEADER: error.gallery_version}
    more = {"reasons": list(error.reasons)} if isinstance(error, errors.FaceUnfit) else {}
    return problem(STATUS[type(error)], str(error), error.code, headers, **more)


def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    places = [tuple(str(part) for part in problem["loc"]) for problem in error.errors()]
    if ("body", "file") in places:
        return _refused(request, errors.NoFileUploaded())
    sentences = [
        f"{place[-1]}: {problem['msg']}"
        for place, problem in zip(places, error.errors(), strict=True)
    ]
    return problem(422, "; ".join(sentences), errors.FormInvalid.code)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTP_CODES.get(error.status_code, "http_error")
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, str(error.detail), code, headers)


def _bug(request: Request, error: Exception) -> JSONResponse:
    """Our own mistake: the server logs the traceback, the caller never sees it."""
    return problem(500, "Internal error; the server's log says more.", "internal_error")
