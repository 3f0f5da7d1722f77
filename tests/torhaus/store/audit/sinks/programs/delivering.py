"""Delivers `AUDIT/hot` to the file `OUT`, a few records at a time, until it is killed."""

import sys
from pathlib import Path

from torhaus.model.shipping import FileTarget, SinkSettings
from torhaus.store.audit.sinks.courier import Pace
from torhaus.store.audit.sinks.crew import Crew

audit, out = sys.argv[1:]
settings = SinkSettings(name="siem", target=FileTarget(path=out), batch=7)
crew = Crew(Path(audit), [settings], pace=Pace(look=0.001))
crew.start()
sys.stdin.read()
crew.close()
