#!/usr/bin/env python3
"""What is in libmarline, as CycloneDX 1.5 (JSON) on standard output.

  assurance/sbom.py [--portable] [--without-device] [--system-sqlite] [--bundled-sqlite] >libmarline.cdx.json

Flags as of ffi/install.sh.

cargo-cyclonedx (0.5.9: cargo install cargo-cyclonedx --locked) describes the crates, but unites the features of the whole
workspace. What `cargo tree` does not list for this build is taken out; what only the tree has is an error. Added are the C
libraries inside two of the crates, and Rust's standard library, which are linked as well.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "marline-ffi"


def run(*command: str, cwd: pathlib.Path = ROOT, **env: str) -> str:
    done = subprocess.run(command, cwd=cwd, env=os.environ | env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def described(features: list[str], host: str) -> dict:
    """What cargo-cyclonedx says of a copy of the committed tree: it writes beside the manifests."""
    commit = run("git", "log", "-1", "--format=%ct")
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "marline")
        run("git", "clone", "-q", str(ROOT), str(tree))
        flags = ["--no-default-features", "--features", ",".join(features), "--target", host]
        run(
            "cargo", "cyclonedx", "-qq", "--manifest-path", "ffi/Cargo.toml", "--format", "json", "--spec-version", "1.5",
            "--override-filename", "sbom", *flags, cwd=tree, SOURCE_DATE_EPOCH=commit,
        )  # fmt: skip
        return json.loads((tree / "ffi/sbom.json").read_text().replace(f"file://{tree}", "file:"))


def linked(features: list[str], host: str, edges: str) -> set[tuple[str, str]]:
    """Names and versions of what `cargo tree` lists for this build."""
    lines = run(
        "cargo", "tree", "--locked", "-p", PACKAGE, "--no-default-features", "--features", ",".join(features),
        "--target", host, "-e", edges, "--prefix", "none", "--format", "{p}",
    ).splitlines()  # fmt: skip
    return {(name, version.removeprefix("v")) for name, version in (line.split()[:2] for line in lines)}


def version_in(crate: str, header: str, define: str) -> str:
    """The version that a header of a crate's C sources defines."""
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1"))
    manifest = next(package["manifest_path"] for package in metadata["packages"] if package["name"] == crate)
    text = pathlib.Path(manifest).parent.joinpath(header).read_text()
    return re.search(rf'^#\s*define\s+{define}\s+"([^"]+)"', text, re.M).group(1)


def library(name: str, version: str, licences: list, inside: str, **more: str) -> dict:
    return {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "description": f"in {inside}",
        "scope": "required",
        "licenses": licences,
        "purl": f"pkg:generic/{name}@{version}",
        **more,
    }


def main(flags: set[str]) -> None:
    either = {"--system-sqlite", "--bundled-sqlite"}
    if flags - either - {"--portable", "--without-device"} or flags >= either:
        sys.exit(__doc__)
    features = [name for name, flag in (("aws-lc", "--portable"), ("device", "--without-device")) if flag not in flags]
    host = re.search(r"^host: (.*)$", run("rustc", "-vV"), re.M).group(1)
    sbom = described(features, host)
    tree, shipped = linked(features, host, "normal,build"), linked(features, host, "normal")

    kept = [part for part in sbom["components"] if (part["name"], part["version"]) in tree]
    missing = tree - {(part["name"], part["version"]) for part in kept} - {(PACKAGE, sbom["metadata"]["component"]["version"])}
    if missing:
        sys.exit(f"only cargo tree has {sorted(missing)}")
    for part in kept:  # what runs while building is not in the library
        part["scope"] = "required" if (part["name"], part["version"]) in shipped else "excluded"
    references = {part["bom-ref"] for part in kept} | {sbom["metadata"]["component"]["bom-ref"]}
    sbom["dependencies"] = [
        entry | {"dependsOn": [on for on in entry.get("dependsOn", []) if on in references]}
        for entry in sbom["dependencies"]
        if entry["ref"] in references
    ]

    kept.append(library("rust-std", run("rustc", "-V").split()[1], [{"expression": "MIT OR Apache-2.0"}], "every Rust library"))
    if "aws-lc" in features:
        version = version_in("aws-lc-sys", "aws-lc/include/openssl/base.h", "AWSLC_VERSION_NUMBER_STRING")
        licences = next(part["licenses"] for part in kept if part["name"] == "aws-lc-sys")
        kept.append(library("aws-lc", version, licences, "aws-lc-sys"))
    if "device" in features and ("--bundled-sqlite" in flags or not flags & {"--portable", "--system-sqlite"}):
        version = version_in("libsqlite3-sys", "sqlite3/sqlite3.h", "SQLITE_VERSION")
        cpe = f"cpe:2.3:a:sqlite:sqlite:{version}:*:*:*:*:*:*:*"
        kept.append(library("sqlite", version, [{"license": {"id": "blessing"}}], "libsqlite3-sys", cpe=cpe))
    sbom["components"] = kept
    json.dump(sbom, sys.stdout, indent=2)
    print()


main(set(sys.argv[1:]))
