"""The control of the gate: a driver with one answer that is too long. Whoever plays vectors against it must notice."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import driver
from operations.registry import OPS

right = OPS["h"]
OPS["h"] = lambda kept, q: {"out": right(kept, q)["out"] + bytes(32)}

driver.main()
