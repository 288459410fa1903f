"""What the tables' columns are made of: types, defaults, and how constraints are named."""

from sqlalchemy import DateTime, MetaData, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

from service.domain.embeddings import Embedding


class Vector(UserDefinedType[Embedding]):
    """pgvector's type of any dimension; values pass through as arrays, see `vectors`."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "vector"


class Xid8(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


# what reflection makes of them, for the comparison with the database
ischema_names |= {"vector": Vector, "xid8": Xid8}

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

NEW_ID = text("uuid_v7()")
NOW = text("now()")
Timestamp = DateTime(timezone=True)
