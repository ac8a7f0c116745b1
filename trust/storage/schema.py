"""The one `MetaData` of all tables, and what protects them inside PostgreSQL.

Each package owns a PostgreSQL schema of its name. A table whose rows are facts passes `info=FACTS`: the
service may SELECT and INSERT there and nothing else, and a trigger refuses UPDATE, DELETE and TRUNCATE to
everybody who is not told otherwise by the owner. A table that only the signer may see passes
`info=signer_changes("state", …)` and names the columns the signer may change. Facts that the signer alone inserts
and everybody may read pass `info=SIGNER_FACTS`.
A table of which the service may change some columns only passes `info=changeable("state", …)`: it may not
DELETE there either. A row of personal content that may be erased on order passes `info=ERASABLE`: INSERT,
SELECT and DELETE.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import DateTime, MetaData, Table

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

FACTS: Final[Mapping[str, Any]] = {"protection": "facts"}
ERASABLE: Final[Mapping[str, Any]] = {"protection": "erasable"}
SIGNER: Final[Mapping[str, Any]] = {"protection": "signer", "changeable": ()}
SIGNER_FACTS: Final[Mapping[str, Any]] = {"protection": "signer-facts", "signer_reads": True}
SIGNER_READS: Final[Mapping[str, Any]] = {"protection": "facts", "signer_reads": True}

facts: Final = dict(FACTS)


def changeable(*columns: str) -> dict[str, Any]:
    """A table whose rows stay and of which the service may UPDATE these columns alone."""
    return {"changeable": columns}


def signer_changes(*columns: str) -> dict[str, Any]:
    """A table that only the signer may see, and of which it may UPDATE these columns alone."""
    return {"protection": "signer", "changeable": columns}


SCHEMAS: Final = ("trust", "ledger", "identity", "seals", "licences", "archive")
SERVICE: Final = "yinxin_service"
READER: Final = "yinxin_reader"
SIGNER_ROLE: Final = "yinxin_signer"
OWNER: Final = "yinxin_owner"

_SERVICE_GRANTS: Final[Mapping[str | None, str]] = {
    None: "SELECT, INSERT, UPDATE, DELETE",
    "facts": "SELECT, INSERT",
    "erasable": "SELECT, INSERT, DELETE",
    "signer-facts": "SELECT",
}


def moment() -> DateTime:
    """The column type of a moment: `timestamptz`."""
    return DateTime(timezone=True)


REFUSE_CHANGE_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION trust.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of %.% are facts: they are inserted, never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$
"""


def protection_of(tables: Iterable[Table]) -> list[str]:
    """The statements that grant each role its rights on these tables and guard the facts."""
    statements: list[str] = []
    for table in tables:
        name = f"{table.schema}.{table.name}"
        protection = table.info.get("protection")
        if protection == "signer":
            columns = ", ".join(table.info["changeable"])
            update = f", UPDATE ({columns})" if columns else ""
            statements.append(f"GRANT SELECT, INSERT{update} ON {name} TO {SIGNER_ROLE}")
            continue
        changeable = table.info.get("changeable")
        if changeable is not None:
            statements.append(
                f"GRANT SELECT, INSERT, UPDATE ({', '.join(changeable)}) ON {name} TO {SERVICE}"
            )
        else:
            statements.append(f"GRANT {_SERVICE_GRANTS[protection]} ON {name} TO {SERVICE}")
        if not table.info.get("secret"):
            statements.append(f"GRANT SELECT ON {name} TO {READER}")
        if table.info.get("signer_reads"):
            statements.append(f"GRANT SELECT ON {name} TO {SIGNER_ROLE}")
        if protection == "signer-facts":
            statements.append(f"GRANT INSERT ON {name} TO {SIGNER_ROLE}")
        if protection in ("facts", "signer-facts"):
            statements.append(
                f"CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON {name} "
                "FOR EACH ROW EXECUTE FUNCTION trust.refuse_change()"
            )
            statements.append(
                f"CREATE TRIGGER facts_kept BEFORE TRUNCATE ON {name} "
                "FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change()"
            )
    return statements


def schema_grants() -> list[str]:
    """The statements that let each role reach the schemas it needs."""
    statements = [f"GRANT USAGE ON SCHEMA {schema} TO {SERVICE}, {READER}" for schema in SCHEMAS]
    statements.append(f"GRANT USAGE ON SCHEMA trust TO {SIGNER_ROLE}")
    return statements
