"""The prices of AWS in terraform/prices.json: USD by billed unit; `lambda_gb_s` has a price for each architecture."""

import json
from typing import Any

from eventloom.clouds import ROOT

PRICES: dict[str, Any] = json.loads((ROOT / "terraform" / "prices.json").read_text())
