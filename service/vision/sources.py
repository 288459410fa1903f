"""Download addresses, read from DeepFace's own source text.

They are read, not imported: importing the module of a Keras model would import TensorFlow.
"""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from service.vision.catalogue import WeightsFile


def addresses(file: WeightsFile) -> tuple[str, ...]:
    """Where the file can be downloaded, best first; empty when DeepFace names no place."""
    return constant_addresses(file.source, file.constant)


@cache
def constant_addresses(module: str, constant: str | None) -> tuple[str, ...]:
    """The address or addresses in a module's constant, or in any call's `source_url=`."""
    found = find_spec(module)
    if found is None or found.origin is None:
        return ()
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if constant is None:
            if isinstance(node, ast.keyword) and node.arg == "source_url":
                return _strings(node.value)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant:
            return _strings(node.value)
    return ()


def _strings(node: ast.expr) -> tuple[str, ...]:
    return tuple(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
