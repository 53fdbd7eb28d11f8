"""The small trial under a second version of its study, which says more than the first."""

import shutil
from pathlib import Path

from tests.trial import FORMS, Trial, publish


def planned(trial: Trial, folder: Path, more: str) -> None:
    """Both sites work under a second version of the study that ends with these tables."""
    shutil.copytree(FORMS, folder)
    study = folder / "studies" / "TRIAL"
    text = (study / "v1.toml").read_text(encoding="utf-8").replace("version = 1\n", "version = 2\n", 1)
    (study / "v2.toml").write_text(text + more, encoding="utf-8")
    publish(trial.database, folder)
    for site in ("HZ01", "HZ02"):
        body = {"version": 2, "approved_on": "2024-01-01", "reason": "Approved"}
        assert trial.builder.call("PUT", f"/sites/{site}/version", json=body).status_code == 204
