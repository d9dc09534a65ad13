"""An agent that is launched: its token is in its environment."""

import os
import sys

from forecast import forecast

token = os.environ.get("WEATHER_TOKEN")
if token is None:
    sys.exit("agent: no WEATHER_TOKEN: start it with vault-run --agent forecaster -- python agent.py")
try:
    print("agent:", forecast(token))
except (OSError, ValueError) as error:
    sys.exit(f"agent: {error}")
