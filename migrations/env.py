"""How Alembic reaches the database: a connection handed in by `app.core.db.migrate`, or the owner's URL."""

from alembic import context
from sqlalchemy import create_engine

from app.models import metadata
from app.settings import Settings


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        context.configure(connection=connection, target_metadata=metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    url = context.config.attributes.get("url") or Settings.from_environment().owner_url
    with create_engine(url).begin() as connection:
        context.configure(connection=connection, target_metadata=metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


run()
