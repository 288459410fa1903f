"""What a database's constraints, functions, triggers and views are, in its own words, and who may
do what with them.

The words are those of PostgreSQL 15 to 18 alike, so what a release's migrations make can be kept in
a file (`migrations/definitions.json`, by `make definitions`) and compared with any database.
"""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import filterfalse, zip_longest

from sqlalchemy import Connection, text

from service.store import rights

Definitions = Mapping[str, str]
"""By what it defines: `constraint ck_face_box of face`; rights by whose they are, and on what."""

ALWAYS = " ENABLE ALWAYS"
"""Added to a trigger."""

# NOT NULL is a constraint since PostgreSQL 18, and compared with the tables' columns; a constraint
# trigger is with the triggers. What an extension brought is its own. Pretty, which leaves out
# parentheses that say nothing: a dump that was restored has other ones. The schema `audit` is ours
# alone, and all of it is the auditor's to read.
DEFINITIONS = f"""
WITH ours AS (
  SELECT oid, relname FROM pg_class
   WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p')
     AND relname <> 'alembic_version')
SELECT format('constraint %s of %s', conname, relname) AS name,
       pg_get_constraintdef(c.oid, true) AS definition
  FROM pg_constraint c JOIN ours ON ours.oid = conrelid
 WHERE contype NOT IN ('n', 't')
UNION ALL
SELECT format('trigger %s of %s', tgname, relname),
       pg_get_triggerdef(t.oid, true) || CASE tgenabled
         WHEN 'A' THEN '{ALWAYS}' WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA'
         ELSE ' ENABLE' END
  FROM pg_trigger t JOIN ours ON ours.oid = tgrelid
 WHERE NOT tgisinternal
UNION ALL
SELECT format('function %s(%s)', proname, pg_get_function_identity_arguments(p.oid)),
       pg_get_functiondef(p.oid)
  FROM pg_proc p
 WHERE {rights.FUNCTIONS}
UNION ALL
SELECT format('%s audit.%I', CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END, relname),
       format(E'CREATE OR REPLACE VIEW audit.%I%s AS\\n%s', relname,
              ' WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(oid, true))
  FROM pg_class
 WHERE relnamespace = to_regnamespace('audit') AND relkind IN ('v', 'm', 'r', 'p', 'f')
 ORDER BY 1
"""
SCHEMA = "SELECT quote_ident(current_schema()) || '.', quote_literal(current_schema())"


def found(connection: Connection) -> Definitions:
    """What the database has, whatever the name of the schema that it lies in."""
    prefix, quoted = connection.execute(text(SCHEMA)).one()
    defined = {
        # tabs as Alembic prints them in statements for psql
        name: definition.replace(prefix, "").replace(quoted, "schema").replace("\t", "    ")
        for name, definition in connection.execute(text(DEFINITIONS.replace(":", r"\:")))
    }
    return defined | rights.found(connection)


def expected() -> Definitions:
    """What this release's migrations make."""
    content: Definitions = json.loads(
        files("migrations").joinpath("definitions.json").read_text("utf-8")
    )
    return content


def differences(found: Definitions, expected: Definitions) -> Iterator[str]:
    """A line each. A function or a trigger that is not ours is no difference: it may be an
    operator's own; a constraint on a table of ours is, since it refuses what must be possible, and
    so is what else the auditor would read."""
    tables = {_table(name) for name in expected}
    for name in filterfalse(rights.is_one, sorted(found.keys() | expected.keys())):
        if name not in found:
            yield f"{name} is missing{_remedy(name, '', expected[name])}"
        elif name in expected and found[name] != expected[name]:
            said = _first_difference(found[name], expected[name])
            yield f"{name} was changed: {said}{_remedy(name, found[name], expected[name])}"
        elif name not in expected and name.startswith("constraint ") and _table(name) in tables:
            yield f"{name} is not part of this release: {found[name]}"
        elif name not in expected and name.startswith(("view ", "table ")):
            yield f"{name} is not part of this release; move it out of that schema"
    yield from rights.differences(found, expected)


def _remedy(name: str, found: str, expected: str) -> str:
    """What mends it, where that is typed soon: a view, and what restores leave behind."""
    kind, _, what = name.partition(" ")
    if kind == "view":
        made = " ".join(expected.split()).removesuffix(";")
        return f"; DROP VIEW IF EXISTS {what}; {made}; {rights.RESTORED} mends that"
    if expected.endswith(ALWAYS) and found.startswith(expected.removesuffix(ALWAYS)):
        trigger, _, table = what.partition(" of ")
        return f"; ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger} mends that"
    return ""


def _table(name: str) -> str:
    return name.rpartition(" of ")[2]


def _first_difference(found: str, expected: str) -> str:
    for here, there in zip_longest(found.splitlines(), expected.splitlines(), fillvalue=""):
        if here != there:
            return f"it says `{here.strip()}` where this release has `{there.strip()}`"
    return "its line breaks differ"
