"""Exports: a gallery in one portable file, written and read in constant memory.

`lines` is the file's form, `files` where it lies, `writing` makes one of a gallery, `reading` a
gallery of one.
"""

from service.exports.reading import Import, Imported, Reader
from service.exports.writing import Export

__all__ = ["Export", "Import", "Imported", "Reader"]
