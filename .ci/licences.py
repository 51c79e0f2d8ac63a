"""No dependency is under a licence that deny.toml does not allow. Needs nothing but cargo and Python.

What ships (protocol, device, cli, ffi) is held to the plain list. The exceptions of deny.toml are for
tools, so a crate that needs one must not be reachable from what ships by an ordinary dependency.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

SHIPPED = ("protocol", "device", "cli", "ffi")


def satisfied(expression, allowed):
    """Evaluates an SPDX expression: may the crate be used under `allowed` alone?"""
    # Some old manifests write "MIT/Apache-2.0" for OR.
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def alternative():
        value = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = conjunction() or value
        return value

    def conjunction():
        value = licence()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = licence() and value
        return value

    def licence():
        token = tokens.pop(0)
        if token == "(":
            value = alternative()
            tokens.pop(0)
            return value
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return token in allowed

    return alternative()


def control():
    """The evaluator refuses what it must refuse, or its verdicts mean nothing."""
    allowed = {"MIT", "Apache-2.0"}
    good = ("MIT", "MIT/Apache-2.0", "MIT OR GPL-3.0-only", "(MIT OR AGPL-3.0-only) AND Apache-2.0")
    bad = ("GPL-3.0-only", "MIT AND LGPL-3.0-or-later", "AGPL-3.0-only OR MPL-2.0", "MIT AND (GPL-2.0 OR ISC)")
    return all(satisfied(e, allowed) for e in good) and not any(satisfied(e, allowed) for e in bad)


def reachable(roots, nodes, kinds):
    """Package ids below `roots`. Development dependencies count for the roots alone, as in cargo."""
    found, queue = set(), list(roots)
    while queue:
        package = queue.pop()
        if package in found:
            continue
        found.add(package)
        wanted = kinds if package in roots else kinds - {"dev"}
        for dependency in nodes[package]["deps"]:
            if wanted & {kind["kind"] or "normal" for kind in dependency["dep_kinds"]}:
                queue.append(dependency["pkg"])
    return found


def main():
    if not control():
        return ["the licence evaluator fails its own control"]
    root = Path(__file__).resolve().parent.parent
    rules = tomllib.loads((root / "deny.toml").read_text())["licenses"]
    allowed = set(rules["allow"])
    exceptions = {rule["crate"]: allowed | set(rule["allow"]) for rule in rules["exceptions"]}
    command = ["cargo", "metadata", "--locked", "--all-features", "--format-version", "1"]
    graph = json.loads(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)

    packages = {package["id"]: package for package in graph["packages"]}
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    members = set(graph["workspace_members"])
    folder = {m: Path(packages[m]["manifest_path"]).parent.relative_to(root).as_posix() for m in members}
    shipped = reachable({m for m in members if folder[m] in SHIPPED}, nodes, {"normal"})
    everything = reachable(members, nodes, {"normal", "build", "dev"})

    problems = []
    for package in (packages[i] for i in everything):
        licences = allowed if package["id"] in shipped else exceptions.get(package["name"], allowed)
        expression = package["license"] or "(none declared)"
        if not package["license"] or not satisfied(expression, licences):
            where = "in what ships" if package["id"] in shipped else "as a tool"
            problems.append(f"{package['name']} {package['version']}: {expression}, {where}")
    print(f"licences: {len(shipped)} packages ship, {len(everything)} in all, {len(problems)} refused")
    return sorted(problems)


if __name__ == "__main__":
    found = main()
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
