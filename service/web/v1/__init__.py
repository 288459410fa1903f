"""The API /v1: a module a noun, each with its schemas beside its routes."""

from service.web.v1.routes import router

__all__ = ["router"]
