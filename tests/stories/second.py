"""The second version of the small trial with the plan that leads to it, laid over the forms of the tests.

An item comes, one gets another name, one another unit, one leaves (in rows, too), codes and reasons change, a visit
comes and a window moves.
"""

import shutil
from pathlib import Path

from tests.trial import FORMS

AMENDMENT = FORMS.parent / "amendment"
PLAN = AMENDMENT / "migrations" / "TRIAL" / "v1-v2.toml"


def second(folder: Path) -> Path:
    """Both versions of the trial and the plan between them in `folder`, which must not exist."""
    shutil.copytree(FORMS, folder)
    shutil.copytree(AMENDMENT, folder, dirs_exist_ok=True)
    return folder
