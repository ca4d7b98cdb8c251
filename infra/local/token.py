"""Prints a token for the local server: python -m infra.local.token USER_ID"""

import sys

from infra.local.environment import load_environment, make_token
from shared.settings import SettingsError

if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the user
        sys.exit(__doc__)
    load_environment()
    try:
        print(make_token(sys.argv[1]))
    except SettingsError as error:
        sys.exit(str(error))
