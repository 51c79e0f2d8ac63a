"""JSON lines over stdin and stdout: one request per line, one answer per line. The protocol is in DRIVER.md."""

import json
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from marline.draws import ScriptError
from marline.errors import MarlineError
from operations import accounts, contacts, parts, primitives, schedule, sessions, states  # noqa: F401
from operations.kept import Kept
from operations.registry import OPS, Fault, Request


class Driver:
    def __init__(self):
        self.kept = Kept()

    def handle(self, inputs) -> dict:
        try:
            if not isinstance(inputs, dict) or inputs.get("op") not in OPS:
                raise Fault("unknown op")
            q = Request(inputs)
            answer = {"ok": _to_json(OPS[inputs["op"]](self.kept, q) or {})}
            q.finish()
        except MarlineError as error:
            answer = {"error": error.name}
        except (Fault, ScriptError) as fault:
            return {"fault": str(fault)}
        except Exception as bug:  # of the request or of the reference: never an answer to compare
            traceback.print_exc()
            return {"fault": repr(bug)}
        return {**answer, **_to_json(self.kept.fingerprints(inputs))}


def _to_json(value):
    """bytes as hex, at any depth"""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _to_json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(inner) for inner in value]
    return value


def main() -> None:
    driver = Driver()
    for line in sys.stdin:
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        sys.stdout.write(json.dumps(driver.handle(request)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
