"""The settings of a test run: a data folder and a secret of its own, whatever the developer's environment holds."""

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="tollgate-test-")
os.chmod(_data, 0o755)  # as root, PostgreSQL may run as another user
atexit.register(shutil.rmtree, _data, ignore_errors=True)

for _name in [name for name in os.environ if name.startswith("TOLLGATE_") or name == "DATABASE_URL"]:
    if not _name.startswith(("TOLLGATE_TEST_", "TOLLGATE_PG_", "TOLLGATE_VENV")):
        del os.environ[_name]
os.environ["TOLLGATE_DATA"] = _data

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

# The very name that DATABASE_URL says: what speaks to PostgreSQL without the ORM meets the test database too.
DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"]}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
