"""What the functions share. Importing it imports what they stand on, in the least time.

Functions import it before anything else: see docs/performance.md for what it saves a cold start.
"""

import gc
import os
import sys

# Importing makes many objects, and they stay. Looking for garbage among them, again and again, is
# a fifteenth of a cold start.
gc.disable()

# Secrets that are named by ARN come over the network, in the time that the rest takes. A snapshot
# has none, so they come again after it is restored.
from snapshot_restore_py import register_after_restore  # noqa: E402

from shared.runtime import secret_store  # noqa: E402

_secrets = ("DATABASE_URL", "BETTER_AUTH_SECRET")
secret_store.fetch_early(*_secrets)
register_after_restore(secret_store.fetch_early, *_secrets)

# Pydantic would look for plugins in every package that is installed, and none has one.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
from pydantic import BaseModel  # noqa: E402

# FastAPI has models of a whole OpenAPI document, and looks for a validator of e-mail addresses on
# their behalf. No function that serves a request makes such a document.
BaseModel.model_config["defer_build"] = True
sys.modules.setdefault("email_validator", None)  # type: ignore[arg-type] # "it is not there"
import fastapi  # noqa: E402, F401

del BaseModel.model_config["defer_build"]
if sys.modules["email_validator"] is None:
    del sys.modules["email_validator"]

# What else every function imports, and is large.
import aws_lambda_powertools  # noqa: E402, F401
import jwt  # noqa: E402, F401
import psycopg  # noqa: E402, F401
import pydantic_settings  # noqa: E402, F401

gc.freeze()
gc.enable()
