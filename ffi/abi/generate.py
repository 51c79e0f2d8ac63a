#!/usr/bin/env python3
"""Makes include/marline.h, ffi/abi/symbols.txt and ffi/abi/api.json from the source of marline-ffi.

    ffi/abi/generate.py PATH_OF_CBINDGEN [--check]

With --check nothing is written: exit status 1 if a committed file differs from what it should be.
It also refuses a function whose comment is not complete: every parameter with a direction and, for a
pointer, whether it may be NULL; what is returned; the thread rule.
"""
import json
import pathlib
import re
import subprocess
import sys

FFI = pathlib.Path(__file__).resolve().parent.parent
ABI = FFI / "abi"
HEADER = FFI.parent / "include" / "marline.h"
VERSION = "0.29.4"
HANDLE_ERRORS = ["NULL", "BAD_HANDLE", "BUSY", "POISONED", "INTERNAL"]


def header(cbindgen):
    version = subprocess.run([cbindgen, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    if VERSION not in version.split():
        sys.exit(f"cbindgen {VERSION} is needed, this is {version.strip()}")
    text = subprocess.run([cbindgen, "--quiet", "--config", FFI / "cbindgen.toml", FFI],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    guard = "#define MARLINE_H\n"
    before, after = text.split(guard)
    includes = "#include <stddef.h>\n#include <stdint.h>\n"
    _, body = after.split(includes)
    text = (ABI / "head.h").read_text() + before.lstrip() + guard + "\n" + includes + "\n" \
        + (ABI / "macros.h").read_text() + body
    # One guard around neighbours that share it.
    text = re.sub(r"#endif\n\n#if defined\(MARLINE_HAVE_DEVICE\)\n", "\n", text)
    text = re.sub(r"\bstruct (marline_\w+ \*)", r"\1", text)
    # A status must be looked at.
    return re.sub(r"^MARLINE_API\s+marline_status\s+(?=marline_)", "MARLINE_NODISCARD MARLINE_API marline_status\n",
                  text, flags=re.M)


def functions(text):
    found = []
    pattern = re.compile(r"/\*\*\n((?: \*[^\n]*\n)+?) \*/\n"
                         r"(?:MARLINE_NODISCARD )?MARLINE_API\s+([^;(]*?)\b(marline_\w+)\(([^;]*?)\);", re.S)
    for comment, result, name, parameters in pattern.findall(text):
        comment = re.sub(r"^ \* ?", "", comment, flags=re.M)
        found.append(function(name, " ".join(result.split()), parameters, comment))
    declared = re.findall(r"\b(marline_\w+)\((?!\))", re.sub(r"/\*.*?\*/", "", text, flags=re.S))
    by_name = {f["name"]: f for f in found}
    for f in found:
        as_in = re.search(r"as (marline_\w+)(, without (MARLINE_ERR_\w+))?", f.pop("return_doc"))
        if as_in:
            f["statuses"] = sorted(set(f["statuses"] + by_name[as_in[1]]["statuses"]) - {as_in[3]})
    missing = set(declared) - {f["name"] for f in found}
    if missing:
        sys.exit(f"declared without a comment: {sorted(missing)}")
    return found


def function(name, result, parameters, comment):
    sections = re.split(r"^@", comment, flags=re.M)
    tags = [" ".join(section.split()) for section in sections[1:]]
    documented = dict()
    for tag in tags:
        match = re.match(r"param\[(in|out|in,out)\] (\w+) (.*)", tag)
        if match:
            documented[match[2]] = (match[1], match[3])
    returns = next((tag[7:] for tag in tags if tag.startswith("return ")), None)
    threads = next((tag[8:] for tag in tags if tag.startswith("threads ")), None)
    if threads is None or (returns is None and result != "void"):
        sys.exit(f"{name}: no @threads or no @return")
    listed = [p for p in re.split(r",\s*", parameters.strip()) if p != "void"]
    entry = {
        "name": name,
        "summary": " ".join(sections[0].split()),
        "returns": result,
        "return_doc": returns or "",
        "threads": threads.split(":")[0],
        "statuses": statuses(returns or ""),
        "parameters": [parameter(name, p, documented) for p in listed],
    }
    if len(entry["parameters"]) != len(documented):
        sys.exit(f"{name}: a comment names a parameter that is not there")
    link_lengths(entry["parameters"])
    return entry


def statuses(text):
    names = re.findall(r"MARLINE_(?:OK|ERR_\w+)", text)
    if "handle errors" in text:
        names += ["MARLINE_ERR_" + name for name in HANDLE_ERRORS]
    return sorted(set(names))


def parameter(function_name, declaration, documented):
    match = re.match(r"(.*?)(\w+)$", " ".join(declaration.split()))
    kind, name = match[1].strip(), match[2]
    if name not in documented:
        sys.exit(f"{function_name}: {name} is not documented")
    direction, text = documented[name]
    entry = {"name": name, "type": kind, "direction": direction, "doc": text}
    if "*" in kind:
        bytes_in = kind == "const uint8_t *"
        if "not NULL" in text:
            entry["nullable"] = False
        elif re.search(r"nullable|NULL is ignored", text):
            entry["nullable"] = True
        elif bytes_in or "`capacity` bytes" in text:
            entry["nullable"] = "if its length is 0"
        else:
            sys.exit(f"{function_name}: {name}: may it be NULL?")
        if kind.endswith("**"):
            free = re.search(r"marline_\w+_free", text)
            if not free:
                sys.exit(f"{function_name}: {name}: who frees it, and how?")
            entry["ownership"] = "the caller's; " + free[0]
        elif name == "err" or "out_" in name or kind.startswith("const uint8_t"):
            entry["ownership"] = "the caller's memory, for the call"
        elif function_name.endswith("_free"):
            entry["ownership"] = "taken"
        else:
            entry["ownership"] = "borrowed for the call"
    return entry


def link_lengths(parameters):
    by_name = {p["name"]: p for p in parameters}
    for p in parameters:
        for length in (p["name"] + "_len", "capacity" if "`capacity` bytes" in p["doc"] else ""):
            if length in by_name and "*" in p["type"]:
                p["length"] = length
                fixed = re.match(r"MARLINE_\w+_SIZE$", by_name[length]["doc"])
                if fixed:
                    p["fixed"] = fixed[0]
                upper = re.match(r"\d+ to (MARLINE_\w+)", by_name[length]["doc"])
                if upper:
                    p["max"] = upper[1]


def main():
    cbindgen, check = sys.argv[1], "--check" in sys.argv[2:]
    text = header(cbindgen)
    api = functions(text)
    names = sorted(f["name"] for f in api)
    source = "".join(p.read_text() for p in sorted((FFI / "src").rglob("*.rs")) if p.name != "testing.rs")
    exported = sorted(re.findall(r'no_mangle\)\]\npub (?:unsafe )?extern "C" fn (\w+)', source))
    if exported != names:
        sys.exit(f"header and source differ: {set(exported) ^ set(names)}")
    outputs = {
        HEADER: text,
        ABI / "symbols.txt": "".join(name + "\n" for name in names),
        ABI / "api.json": json.dumps({"functions": api}, indent=1) + "\n",
    }
    stale = [path for path, new in outputs.items() if not path.exists() or path.read_text() != new]
    if check:
        for path in stale:
            print(f"{path.relative_to(FFI.parent)} is not what the source makes: run ffi/abi/generate.py")
        sys.exit(1 if stale else 0)
    HEADER.parent.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(outputs[path])
    print(f"{len(names)} functions")


main()
