#!/usr/bin/env python3
"""Within a major version, cases are added and never changed:  compare.py OLD-V1 [NEW-V1]

Every case of the old files is in the new ones, with the same requests and expectations after its names are resolved.
"""
import json
import pathlib
import sys


def value(values, name):
    v = values[name]
    if isinstance(v, str):
        return v
    if "join" in v:
        return "".join(value(values, part) for part in v["join"])
    if "repeat" in v:
        return v["repeat"] * v["times"]
    if "count" in v:
        return "".join(f"{n:0{2 * v['width']}x}{v['then']}" for n in range(1, v["count"] + 1))
    whole, at, end = value(values, v["of"]), 2 * v["at"], 2 * (v["at"] + v["remove"])
    return whole[:at] + v["insert"] + whole[end:]


def resolved(values, it):
    if isinstance(it, str) and it.startswith("@"):
        return value(values, it[1:])
    if isinstance(it, list):
        return [resolved(values, inner) for inner in it]
    return {name: resolved(values, inner) for name, inner in it.items()} if isinstance(it, dict) else it


def cases(directory):
    for file in sorted(pathlib.Path(directory).glob("*.json")):
        document = json.loads(file.read_text())
        for case in document["cases"]:
            yield case["id"], resolved(document.get("values", {}), case["steps"]), case["result"]


old, new = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "v1"
before = {id: rest for id, *rest in cases(old)}
after = {id: rest for id, *rest in cases(new)}
changed = [id for id, rest in before.items() if after.get(id) != rest]
print(f"{len(before)} cases before, {len(after)} now, {len(changed)} changed or gone: {changed}")
sys.exit(bool(changed))
