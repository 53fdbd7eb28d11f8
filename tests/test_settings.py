"""Settings: read once, refused when they cannot be read, and all of them written down."""

from pathlib import Path

import pytest

from app.settings import VARIABLES, SettingError, Settings

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "deployment.md"


def test_nothing_set_means_the_embedded_server_below_var() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert settings.data_dir == Path("var/pg")
    assert settings.app_role == "marrow_app"


def test_what_is_set_is_taken() -> None:
    given = {
        "MARROW_DATABASE_URL": "postgres://app:x@db/marrow",
        "MARROW_OWNER_URL": "postgresql://owner:x@db/marrow",
        "MARROW_VAR": "/data",
        "MARROW_THREADS": "16",
        "MARROW_TRUSTED_HOSTS": "a.example, b.example",
        "MARROW_LOG_LEVEL": "WARNING",
        "MARROW_ALLOW_UNSAFE_DATABASE": "yes",
        "PATH": "/bin",
    }
    settings = Settings.from_environment(given)
    assert settings.database_url == "postgresql+psycopg://app:x@db/marrow"
    assert settings.app_role == "app"
    assert settings.anchors.parent == Path("/data")
    assert (
        settings.anchors != Settings.from_environment(given | {"MARROW_DATABASE_URL": "postgres://app:x@db/b"}).anchors
    )
    assert Settings.from_environment({"MARROW_VAR": "/data"}).anchors == Path("/data/anchors.jsonl")
    assert settings.pool_size == 18  # one connection for each thread and two to spare, unless said otherwise
    assert settings.trusted_hosts == ("a.example", "b.example")
    assert settings.log_level == "warning"
    assert settings.allow_unsafe_database


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARROW_DATABASE_URL", "sqlite:///secret"),
        ("MARROW_OWNER_URL", "postgresql://a:secret@h:port/x"),
        ("MARROW_POOL_SIZE", "2"),
        ("MARROW_THREADS", "many"),
        ("MARROW_MAX_BODY", "-1"),
        ("MARROW_SESSION_HOURS", "1.5"),
        ("MARROW_LOG_LEVEL", "secret"),
        ("MARROW_ALLOW_UNSAFE_DATABASE", "perhaps"),
        ("MARROW_DATABSE_URL", "secret"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_alone(name: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({name: value})
    assert name in str(caught.value)
    assert "secret" not in str(caught.value)


def test_every_setting_is_documented() -> None:
    written = DOCUMENT.read_text()
    assert [name for name in VARIABLES if f"`{name}`" not in written] == []
