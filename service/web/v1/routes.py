"""The routers of /v1 together."""

from fastapi import APIRouter

from service.web.v1 import erasures, galleries
from service.web.v1.problems import PROBLEMS

router = APIRouter(prefix="/v1", responses=PROBLEMS)
router.include_router(galleries.router)
router.include_router(erasures.router)
