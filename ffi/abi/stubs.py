#!/usr/bin/env python3
"""Makes C definitions of every function of marline.h, that do nothing: what abidw reads. It sees the ABI as a C
compiler does, which it cannot in the debug information of a Rust library.      stubs.py > stubs.c"""
import json
import pathlib

print("#include <marline.h>")
for f in json.loads((pathlib.Path(__file__).parent / "api.json").read_text())["functions"]:
    parameters = ", ".join(f"{p['type']} {p['name']}" for p in f["parameters"]) or "void"
    used = " ".join(f"(void){p['name']};" for p in f["parameters"])
    print(f"{f['returns']} {f['name']}({parameters}) {{ {used} {'' if f['returns'] == 'void' else 'return 0;'} }}")
