"""Faces from pictures: the model catalogue, the weights and the analysers that run them."""

from service.vision.acquisition import Progress, add, pull
from service.vision.analysers import load_analyser
from service.vision.catalogue import CATALOGUE, DETECTORS, ModelSpec, WeightsFile, find_model
from service.vision.weights import ModelStatus, list_models

__all__ = [
    "CATALOGUE",
    "DETECTORS",
    "ModelSpec",
    "ModelStatus",
    "Progress",
    "WeightsFile",
    "add",
    "find_model",
    "list_models",
    "load_analyser",
    "pull",
]
