"""Asks the weather service. The token goes into the request and nowhere else."""

import json
import os
import urllib.request


def forecast(token: str) -> str:
    """The forecast in words. An OSError or ValueError where the answer is none."""
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(os.environ["WEATHER_URL"], headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    if not isinstance(told.get("sky"), str) or not isinstance(told.get("degrees"), int):
        raise ValueError("the answer is no forecast")
    return f"{told['sky']}, {told['degrees']} degrees"
