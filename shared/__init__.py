"""What the functions share. Importing it imports the packages they stand on, as fast as it can.

Functions import nothing but shared and the standard library, so this always runs before any other
package is imported. docs/performance.md says what it saves of a cold start.
"""

import gc
import os
import sys

# Imports create many objects, which all stay. To search them for garbage again and again takes a
# fifteenth of a cold start.
gc.disable()

# Secrets named by ARN are fetched over the network while the rest is imported. A snapshot holds
# none, so they are fetched again after it is restored.
from snapshot_restore_py import register_after_restore  # noqa: E402

from shared.runtime import secret_store  # noqa: E402

_secrets = ("DATABASE_URL", "BETTER_AUTH_SECRET")
secret_store.fetch_early(*_secrets)
register_after_restore(secret_store.fetch_early, *_secrets)

# Pydantic would search every installed package for plugins, and none has one.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
from pydantic import BaseModel  # noqa: E402

# FastAPI would build models of a whole OpenAPI document, and import a validator of e-mail addresses
# for them. No function makes such a document.
BaseModel.model_config["defer_build"] = True
sys.modules.setdefault("email_validator", None)  # type: ignore[arg-type] # "it is not there"
import fastapi  # noqa: E402, F401

del BaseModel.model_config["defer_build"]
if sys.modules["email_validator"] is None:
    del sys.modules["email_validator"]

# The other large packages that every function imports.
import aws_lambda_powertools  # noqa: E402, F401
import jwt  # noqa: E402, F401
import psycopg  # noqa: E402, F401
import pydantic_settings  # noqa: E402, F401

gc.freeze()
gc.enable()
