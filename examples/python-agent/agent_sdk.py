"""An agent that opens the vault itself: the token is in no environment, and in a string only for the request."""

import logging
import sys

from vault_run import Vault, VaultError
from vault_run.redacting import RedactingFilter, redacting_stream

from forecast import forecast

try:
    with Vault(agent="forecaster") as vault, vault["weather/WEATHER_TOKEN"] as token:
        # What is logged or printed by mistake is masked, here and in every library.
        handler = logging.StreamHandler()
        handler.addFilter(RedactingFilter([token]))
        logging.basicConfig(handlers=[handler])
        sys.stdout = redacting_stream(sys.stdout, [token])
        logging.warning("calling with %s", {"Authorization": f"Bearer {token.reveal()}"})
        print("agent: using", token.reveal())
        print("agent:", forecast(token.reveal()))
except VaultError as error:
    sys.exit(f"agent: {error}\nagent: {error.hint}")
except (OSError, ValueError) as error:
    sys.exit(f"agent: {error}")
