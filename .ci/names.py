#!/usr/bin/env python3
"""Everything that docs/assurance.md and docs/review.md name in code style exists: tests, models, files."""

import glob
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tests():
    """The names of all test functions."""
    found = set()
    for path in ROOT.glob("**/*.rs"):
        if "target" not in path.relative_to(ROOT).parts:
            found |= set(re.findall(r"\bfn (\w+)\s*\(", path.read_text()))
    return found


def exists(name, functions):
    """Whether a name in code style is something that is there; None if it is not a kind of name checked here."""
    if "::" in name and re.fullmatch(r"[\w/]+(::\w+)+", name):
        last = name.split("::")[-1]
        return last in functions if last[0].islower() and "_" in last else None
    if re.fullmatch(r"(handshake|ratchet|kci|uks|identity_hiding|weak|limit)\w*\*?\w*", name) and "_" in name:
        return bool(glob.glob(str(ROOT / "spec/models" / f"{name}.vp")))
    if re.fullmatch(r"[\w/.-]+\.(rs|py|sh|md)", name):
        return bool(list(ROOT.glob(name)) or list(ROOT.glob(f"*/tests/{name}")))
    return None


def main():
    functions, missing, checked = tests(), [], 0
    for page in ("docs/assurance.md", "docs/review.md"):
        for name in re.findall(r"`([^`]+)`", (ROOT / page).read_text()):
            verdict = exists(name, functions)
            checked += verdict is not None
            if verdict is False:
                missing.append(f"{page}: {name}")
    print(f"{checked} names of tests, models and files checked")
    print("\n".join(missing))
    return bool(missing) or checked < 50


sys.exit(main())
