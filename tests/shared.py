"""The folder that is not part of the repository: the product text, drivers, identity providers."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Whole: `make` says it from here, and what is started somewhere else has to find itself in it.
SHARED = Path(os.environ.get("TORHAUS_SHARED", ROOT.parent / "shared")).resolve()
BRIEF = SHARED / "brief.txt"
