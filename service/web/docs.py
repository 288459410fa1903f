"""The API's description as a page that needs no internet: Swagger UI, from a package."""

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

DOCS = "/docs"
OPENAPI = "/openapi.json"
FILES = "/docs/files"

router = APIRouter(include_in_schema=False)


def is_page(path: str) -> bool:
    """Whether a browser reads that path, which tells nothing of what is stored."""
    return path in {DOCS, OPENAPI} or path.startswith(f"{FILES}/")


def install(app: FastAPI) -> None:
    app.include_router(router)
    app.mount(FILES, StaticFiles(packages=[("fastapi_swagger", "resources")]))


@router.get(DOCS)
async def docs() -> HTMLResponse:
    # relative, so that they lead here from behind any prefix
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="facematch",
        swagger_js_url="docs/files/swagger-ui-bundle.js",
        swagger_css_url="docs/files/swagger-ui.css",
        swagger_favicon_url="docs/files/favicon-32x32.png",
        swagger_ui_parameters={
            "validatorUrl": None
        },  # else the page is shown to a server of theirs
    )
