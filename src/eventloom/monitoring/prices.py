"""The project's one table of AWS prices, terraform/prices.json: USD by what is billed, `lambda_gb_s` by architecture."""

import json
from typing import Any

from eventloom.clouds import ROOT

PRICES: dict[str, Any] = json.loads((ROOT / "terraform" / "prices.json").read_text())
