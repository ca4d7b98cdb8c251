"""What the functions share. Importing it imports FastAPI, in the least time.

Functions import it before anything else: see docs/performance.md for what it saves a cold start.
"""

import gc
import sys

# Importing makes many objects, and they stay. Looking for garbage among them, again and again, is
# a fifteenth of a cold start.
gc.disable()

from pydantic import BaseModel  # noqa: E402

# FastAPI has models of a whole OpenAPI document, and looks for a validator of e-mail addresses on
# their behalf. No function that serves a request makes such a document.
BaseModel.model_config["defer_build"] = True
sys.modules.setdefault("email_validator", None)  # type: ignore[arg-type] # "it is not there"
import fastapi  # noqa: E402, F401

del BaseModel.model_config["defer_build"]
if sys.modules["email_validator"] is None:
    del sys.modules["email_validator"]

gc.freeze()
gc.enable()
