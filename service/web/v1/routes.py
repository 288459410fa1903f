"""The routers of /v1 together."""

from fastapi import APIRouter

from service.web.v1 import (
    consents,
    detect,
    erasures,
    faces,
    galleries,
    imports,
    jobs,
    keys,
    models,
    search,
    subjects,
    verify,
)
from service.web.v1.problems import PROBLEMS

router = APIRouter(prefix="/v1", responses=PROBLEMS)
router.include_router(galleries.router)
router.include_router(subjects.router)
router.include_router(faces.router)
router.include_router(consents.router)
router.include_router(keys.router)
router.include_router(search.router)
router.include_router(verify.router)
router.include_router(detect.router)
router.include_router(models.router)
router.include_router(imports.router)
router.include_router(jobs.router)
router.include_router(erasures.router)
