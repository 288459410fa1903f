"""Images of the schema: what a database of each revision looked like, with some rows, kept so that
every upgrade to come is tried from all of them.

`make schema-images` makes those that are missing, one for each new revision; one that is there is
history and never made anew. `NNNN.sql` is a dump for psql.
"""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import make_url

import migrations
from service.store import schema
from service.store.accounts import binaries
from service.store.embedded import temporary_postgres
from service.store.urls import conninfo
from tests.databases import copy_of

FOLDER = Path(__file__).parent / "schemas"

# what each revision's image has besides what the one before has
ROWS = {
    "0001": """
INSERT INTO embedding_space (id, model, dimension, weights_sha256, detector, alignment,
                             default_threshold)
VALUES ('00000000-0000-7000-8000-000000000001', 'Dlib', 4, repeat('ab', 32), 'dlib', 'native', 0.9),
       ('00000000-0000-7000-8000-000000000002', 'ArcFace', 4, NULL, 'opencv', 'deepface', 0.68);
INSERT INTO gallery (id, name, space_id, threshold, max_faces)
VALUES ('00000000-0000-7000-8000-000000000011', 'dlib',
        '00000000-0000-7000-8000-000000000001', 0.9, NULL),
       ('00000000-0000-7000-8000-000000000012', 'Galerie Ä/1',
        '00000000-0000-7000-8000-000000000002', 0.7, 1000);
INSERT INTO subject (id, gallery_id, external_id, metadata, expires_at)
VALUES ('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000011', 'ada',
        '{"team": "blue", "age": 36.5}', NULL),
       ('00000000-0000-7000-8000-000000000022', '00000000-0000-7000-8000-000000000011',
        'Ørsted/😀 "x''y"\\', '{}', '2035-01-02 03:04:05+06'),
       ('00000000-0000-7000-8000-000000000023', '00000000-0000-7000-8000-000000000012', 'ada',
        '{}', NULL);
INSERT INTO face (id, gallery_id, subject_id, image_sha256, image_name, box, quality, created_by)
VALUES ('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011',
        '00000000-0000-7000-8000-000000000021', sha256('1'), 'ada 1.jpg', '{-1,2,30,40}',
        '{"size": 35, "score": 0.5}', 'api'),
       ('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000011',
        '00000000-0000-7000-8000-000000000021', sha256('2'), NULL, NULL, NULL, 'api'),
       ('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000012',
        '00000000-0000-7000-8000-000000000023', NULL, NULL, NULL, NULL, 'facematch import-json');
INSERT INTO face_embedding (face_id, space_id, gallery_id, vec)
VALUES ('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000001',
        '00000000-0000-7000-8000-000000000011', '[1,0,0,0]'),
       ('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000001',
        '00000000-0000-7000-8000-000000000011', '[0.6,0.8,0,0]'),
       ('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000002',
        '00000000-0000-7000-8000-000000000012', '[0,0,0,-1]');
""",
    "0003": """
INSERT INTO replica (id, name) VALUES ('00000000-0000-7000-8000-000000000041', 'host-1:4711');
INSERT INTO replica_gallery (replica_id, gallery_id, version, mark)
SELECT '00000000-0000-7000-8000-000000000041', id, version, mark FROM gallery;
""",
    "0006": """
INSERT INTO gallery_calibration (gallery_id, space_id, fpir, threshold, threshold_low,
  threshold_high, subjects, faces, suspects, tail_start, tail_share, tail_power, version, release)
SELECT id, space_id, 0.001, 0.9, 0.88, 0.92, 50, 80, 1, 0.8, 0.1, 3.5, version, '0.1.0'
  FROM gallery WHERE name = 'dlib';
""",
    "0007": """
INSERT INTO idempotency_key (caller, key, fingerprint, status, headers, body)
VALUES ('anonymous', 'once', sha256('request'), 201, '{"etag": "\\"1\\""}', '{}');
UPDATE gallery SET gates = '{"quality": false}', subject_lifetime_s = 31557600 WHERE name = 'dlib';
""",
    "0008": """
INSERT INTO api_key (id, prefix, name, key_hash, scopes)
VALUES ('00000000-0000-7000-8000-000000000051', 'fm_abcdefgh', 'door', sha256('secret'),
        '{search,enrol}');
INSERT INTO api_key_gallery (key_id, gallery_id)
SELECT '00000000-0000-7000-8000-000000000051', id FROM gallery WHERE name = 'dlib';
""",
    "0010": """
INSERT INTO import_job (id, gallery_id, space_id, created_by, several, state)
SELECT '00000000-0000-7000-8000-000000000061', id, space_id, 'door', false, 'waiting'
  FROM gallery WHERE name = 'dlib';
INSERT INTO import_item (job_id, number, file, external_id, photograph, image_sha256)
VALUES ('00000000-0000-7000-8000-000000000061', 1, 'eve.jpg', 'eve', 'photograph',
        sha256('photograph'));
INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('imports', 'run', '{}');
""",
    "0011": """
DELETE FROM face WHERE id = '00000000-0000-7000-8000-000000000032';
UPDATE gallery SET threshold = 0.91 WHERE name = 'dlib';
""",
    "0013": """
INSERT INTO consent (id, gallery_id, subject_id, text_version, purpose)
SELECT '00000000-0000-7000-8000-000000000071', gallery_id, id, '2026-11', 'entry by face'
  FROM subject WHERE id = '00000000-0000-7000-8000-000000000021';
UPDATE gallery SET unmatched_lifetime_s = 94608000, audit_searches = 'matches'
 WHERE name = 'dlib';
""",
    "0016": """
INSERT INTO idempotency_key (caller, key, fingerprint, status, headers, body, about)
VALUES ('door', 'twice', sha256('enrolment'), 201, '{}', '{"subject": "eve"}',
        '{00000000-0000-7000-8000-000000000021}');
UPDATE import_item SET consent = '{"text_version": "2026-11", "purpose": "entry by face"}'
 WHERE external_id = 'eve';
""",
    "0017": """
UPDATE gallery SET keep_photographs = 'chips' WHERE name = 'dlib';
INSERT INTO kept_photograph (face_id, gallery_id, kind, key_id, sealed)
VALUES ('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000011', 'chips',
        repeat('ab', 8), sha256('nonce') || sha256('photograph'));
""",
    "0018": """
INSERT INTO embedding_space (id, model, dimension, weights_sha256, detector, alignment,
                             default_threshold)
VALUES ('00000000-0000-7000-8000-000000000003', 'ArcFace', 3, repeat('cd', 32), 'retinaface',
        'native', 0.5);
INSERT INTO reembedding (gallery_id, space_id, threshold)
VALUES ('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000003', 0.6);
INSERT INTO face_embedding (face_id, space_id, gallery_id, vec)
VALUES ('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000003',
        '00000000-0000-7000-8000-000000000011', '[0,0,1]');
INSERT INTO reembedding_failure (face_id, gallery_id, code, reason)
SELECT id, gallery_id, 'no_face', 'No face was found.' FROM face
 WHERE gallery_id = '00000000-0000-7000-8000-000000000011'
   AND id <> '00000000-0000-7000-8000-000000000031' ORDER BY id LIMIT 1;
INSERT INTO gallery_calibration (gallery_id, space_id, fpir, threshold, threshold_low,
  threshold_high, subjects, faces, suspects, tail_start, tail_share, tail_power, version, release)
SELECT id, '00000000-0000-7000-8000-000000000003', 0.001, 0.6, 0.5, 0.7, 50, 80, 1, 0.3, 0.1, 3.5,
       version, '0.1.0' FROM gallery WHERE name = 'dlib';
""",
}
TAKEN_DOWN = {
    "0018": """
DELETE FROM reembedding;
DELETE FROM face_embedding e USING gallery g WHERE g.id = e.gallery_id AND g.space_id <> e.space_id;
DELETE FROM gallery_calibration c USING gallery g WHERE g.id = c.gallery_id
   AND g.space_id <> c.space_id;
""",
}
"""What the step down takes away, of rows that the revision before could hold."""

# as the service enrols, by the columns that there have been from the first revision on
SUBJECT = "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s) RETURNING id"
FACE = """
WITH photo AS (INSERT INTO face (gallery_id, subject_id, image_sha256, created_by)
               SELECT %(gallery)s, %(subject)s, sha256(convert_to(%(name)s, 'UTF8')), 'test'
               RETURNING id, gallery_id)
INSERT INTO face_embedding (face_id, space_id, gallery_id, vec)
SELECT p.id, g.space_id, g.id, '[0,0,1,0]' FROM photo p JOIN gallery g ON g.id = p.gallery_id
RETURNING face_id
"""
GALLERY = "00000000-0000-7000-8000-000000000011"


QUOTE = re.compile(r"\$\w*\$")
IDLE = ("--", "\\restrict", "\\unrestrict", "SET transaction_timeout", "COMMENT ON EXTENSION")
OF_ROWS = re.compile(r"INSERT INTO |\t\(|SELECT pg_catalog\.setval\(")


def revisions() -> list[str]:
    """From the first to the head."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    return [script.revision for script in scripts.walk_revisions()][::-1]


def steps() -> list[tuple[str, str]]:
    """(revision before, revision), the first one's before being "base"."""
    every = revisions()
    return list(zip(["base", *every], every, strict=False))


def image(revision: str) -> Path:
    return FOLDER / f"{revision}.sql"


def statements(before: str, revision: str) -> str:
    """What the step up runs."""
    config = Config(output_buffer=(printed := io.StringIO()))
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    command.upgrade(config, f"{before}:{revision}", sql=True)
    return printed.getvalue()


def load(url: str, revision: str) -> None:
    """Fill an empty database from the image; "base" leaves it empty."""
    if revision == "base":
        return
    script = image(revision).read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        for role in sorted(set(re.findall(r"^GRANT .* TO (\w+);", script, re.MULTILINE))):
            _ensure_role(connection, role)
    run("psql", url, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
        f"--file={image(revision)}")  # fmt: skip


def _ensure_role(connection: psycopg.Connection, role: str) -> None:
    """A dump does not make the roles that it grants to."""
    if connection.execute("SELECT to_regrole(%s)", (role,)).fetchone() == (None,):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def add_rows(url: str, revision: str) -> None:
    """Fill what the revision brought, and enrol somebody by its triggers."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ROWS.get(revision, "").encode())
        enrol(connection, f"enrolled at {revision}")


def take_down(url: str, revision: str) -> None:
    """Without what the step down from the revision takes away."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TAKEN_DOWN.get(revision, "").encode())


def enrol(connection: psycopg.Connection[Any], name: str) -> UUID:
    """Somebody with one face in the gallery, in one transaction; the face's id."""
    with connection.transaction():
        (subject_id,) = connection.execute(SUBJECT, (GALLERY, name)).fetchone() or (None,)
        values = {"gallery": GALLERY, "subject": subject_id, "name": name}
        (face_id,) = connection.execute(FACE, values).fetchone() or (None,)
    assert isinstance(face_id, UUID)
    return face_id


def dumped(url: str, *options: str) -> str:
    """The database as SQL, in the words that any server from PostgreSQL 15 on understands."""
    done = run("pg_dump", url, "--no-owner", "--restrict-key=facematch", *options)
    return "\n".join(_told(done.splitlines())) + "\n"


def _told(lines: list[str]) -> Iterator[str]:
    """Without comments and blank lines, but for those in functions, and without what only newer
    servers and newer versions of psql know."""
    inside = False
    for line in lines:
        inside ^= len(QUOTE.findall(line)) % 2 == 1
        if inside or (line and not line.startswith(IDLE)):
            yield line


def run(program: str, url: str, *arguments: str) -> str:
    """A program of the embedded Postgres on a database; what it printed."""
    target = conninfo(make_url(url).render_as_string(hide_password=False))
    command = [str(binaries() / program), f"--dbname={target}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def schema_of(dump: str) -> list[str]:
    """Its lines without those of rows."""
    return [line for line in dump.splitlines() if not OF_ROWS.match(line)]


def missing() -> list[str]:
    return [revision for revision in revisions() if not image(revision).exists()]


def main() -> None:
    with temporary_postgres() as server_url, copy_of(server_url, "template0") as url:
        for revision in revisions():
            schema.upgrade(url, revision=revision)
            add_rows(url, revision)
            if not image(revision).exists():
                image(revision).write_text(dumped(url, "--inserts", "--rows-per-insert=50"))
                sys.stdout.write(f"made {image(revision)}\n")


if __name__ == "__main__":
    main()
