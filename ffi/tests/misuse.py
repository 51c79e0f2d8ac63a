#!/usr/bin/env python3
"""Makes a C program of ffi/abi/api.json that misuses every function in every way the list knows:

every pointer NULL, every length 0, one beside what it must be, above its maximum and SIZE_MAX, every handle of
another type and misaligned, every exclusive handle in a child process; and with -DMARLINE_TESTING every session
poisoned and in use. The program checks the status, that outputs are cleared, and that the error record
agrees. `misuse quick` makes one world for all functions, not one for each.      misuse.py > misuse.c
"""
import json
import pathlib
import re

API = json.loads((pathlib.Path(__file__).parent.parent / "abi" / "api.json").read_text())["functions"]
HANDLES = {"account": "w.bob", "session": "w.to_bob", "publication": "w.publication", "buffer": "w.bundle",
           "opened": "w.hello", "pending": "w_pending", "contact": "w_contact", "accepted": "w_accepted", "events": "w_events",
          "signing": "w_signing", "device": "w_device", "contacts": "w_contacts", "inbox": "w_inbox", "outbox": "w_outbox"}
DEVICE = {"device", "contacts", "inbox", "outbox"}
# Structures that begin with their size: the caller's choices, and what is written for the caller.
CHOICES = {"marline_options": ("options", ["padding", "padding_size", "slots"]),
           "marline_device_options": ("device_options", ["durability", "anchor"])}
RECORDS = {f"marline_{name} *": name for name in
           ("facts", "event", "device_facts", "maintenance", "contact_info", "incoming")}
WRONG = {name: "w.bundle" if name != "buffer" else "w.bob" for name in HANDLES}
BYTES = {"bundle": ("marline_buffer_data(w.bundle)", "marline_buffer_len(w.bundle)"),
         "message": ("marline_buffer_data(w_message)", "marline_buffer_len(w_message)"),
         "sealed": ("marline_buffer_data(w_sealed)", "marline_buffer_len(w_sealed)"),
         **{name: ("w.key", "32") for name in ("key", "one", "other", "own", "id", "identity", "secret")},
         "path": ("(const uint8_t *)w_path", "strlen(w_path)"), "anchor": ("(const uint8_t *)w_anchor", "strlen(w_anchor)"), "from": ('(const uint8_t *)"bob"', "3"),
         "name": ('(const uint8_t *)"bob"', "3")}
# By the macro of their length: where names say less than sizes.
SIZED = {"MARLINE_ED25519_KEY_SIZE": "base_point", "MARLINE_MLDSA65_KEY_SIZE": "scratch",
         "MARLINE_ED25519_SIGNATURE_SIZE": "scratch", "MARLINE_MLDSA65_SIGNATURE_SIZE": "scratch"}
SCALARS = {"count": "1", "index": "0", "now": "NOW", "minimum_generation": "0", "secret_len": "32",
           "plaintext_len": "5", "verified": "1", "unlock": "MARLINE_UNLOCK_KEY", "session": "0"}


def choices(p):
    match = re.fullmatch(r"const (marline_\w*options) \*", p["type"])
    return match and CHOICES[match[1]]


def handle_of(p):
    match = re.fullmatch(r"(const )?marline_(\w+) \*", p["type"])
    return match[2] if match and match[2] in HANDLES else None


def is_of_device(function):
    """Whether it needs a device at hand, which takes time to make."""
    return any(handle_of(p) in DEVICE for p in function["parameters"]) or function["name"].startswith("marline_device_")


def valid(function):
    """Arguments of a call without a mistake, and the declarations they need."""
    arguments, declarations = {}, []
    signs_elsewhere = re.search("_prepare_(publish|initiate|reset)|_finish", function["name"])
    lengths = {p["length"]: p for p in function["parameters"] if "length" in p}
    for p in function["parameters"]:
        name, kind = p["name"], p["type"]
        if handle_of(p):
            arguments[name] = "w_external" if name == "account" and signs_elsewhere else HANDLES[handle_of(p)]
        elif name == "err":
            arguments[name] = "&err"
        elif choices(p):
            arguments[name] = "&" + choices(p)[0]
        elif kind in RECORDS:
            arguments[name] = f"(&{RECORDS[kind]})"
        elif kind == "const uint8_t *":
            data = BYTES.get(name, ('(const uint8_t *)"bytes"', "5"))
            if p.get("fixed") in SIZED:
                data = SIZED[p["fixed"]], p["fixed"]
            arguments[name], arguments[p["length"]] = data
        elif kind.endswith("**"):
            declarations.append(f"{kind[:-1]}{name} = (void *)&sentinel;")
            arguments[name] = "&" + name
        elif kind in ("uint8_t *", "char *"):
            arguments[name] = "scratch" if kind[0] == "u" else "(char *)scratch"
            arguments[p["length"]] = p.get("fixed", "sizeof scratch")
        elif kind.endswith("*"):
            declarations.append(f"{kind[:-2]} {name} = 77;")
            arguments[name] = "&" + name
        elif name not in lengths:
            arguments[name] = SCALARS[name]
    return arguments, declarations


def mistakes(function):
    """(what is wrong, changed arguments, expected status or None for "any but NULL and INTERNAL")"""
    for p in function["parameters"]:
        name = p["name"]
        if "*" in p["type"]:
            null = {name: "NULL"}
            if p["nullable"] is False:
                yield f"{name} is NULL", null, "MARLINE_ERR_NULL"
            elif p["nullable"] is True:
                yield f"{name} is NULL, which is allowed", null, None
            else:
                yield f"{name} is NULL with a length", null, "MARLINE_ERR_NULL"
                yield f"{name} is NULL and empty", {**null, p["length"]: "0"}, None
        if handle_of(p):
            yield f"{name} is another handle", {name: f"(void *){WRONG[handle_of(p)]}"}, "MARLINE_ERR_BAD_HANDLE"
            crooked = f"(void *)((char *){HANDLES[handle_of(p)]} + 1)"
            yield f"{name} is misaligned", {name: crooked}, "MARLINE_ERR_BAD_HANDLE"
        if "length" in p:
            length = p["length"]
            if "fixed" in p:
                for wrong in ("0", f"{p['fixed']} - 1", f"{p['fixed']} + 1", "SIZE_MAX"):
                    yield f"{length} is {wrong}", {length: wrong}, "MARLINE_ERR_LENGTH"
                continue
            yield f"{length} is 0", {length: "0"}, None
            for wrong in ("SIZE_MAX", "(size_t)PTRDIFF_MAX + 1", *[f"{p['max']} + 1" for _ in [0] if "max" in p]):
                yield f"{length} is {wrong}", {length: wrong}, "MARLINE_ERR_LENGTH"
        if p["type"] == "size_t" and not any(q.get("length") == name for q in function["parameters"]):
            yield f"{name} is SIZE_MAX", {name: "SIZE_MAX"}, "MARLINE_ERR_LENGTH"
        if name in ("count", "index"):
            yield f"{name} is 5000", {name: "5000"}, "MARLINE_ERR_ARGUMENT"
        if choices(p):
            for field in choices(p)[1]:
                yield f"{field} is UINT32_MAX", {name: f"&wrong_{field}"}, "MARLINE_ERR_ARGUMENT"
            yield "struct_size is 0", {name: f"&wrong_{choices(p)[0]}"}, "MARLINE_ERR_STRUCT_SIZE"
        if p["type"] in RECORDS:
            yield "struct_size is 0", {name: f"&wrong_{RECORDS[p['type']]}"}, "MARLINE_ERR_STRUCT_SIZE"
        if name in ("verified", "unlock") or (name, p["type"]) == ("session", "uint32_t"):
            yield f"{name} is 99", {name: "99"}, "MARLINE_ERR_ARGUMENT"


def call(function, what, changed, want):
    arguments, declarations = valid(function)
    arguments.update(changed)
    given = ", ".join(arguments[p["name"]] for p in function["parameters"])
    label = json.dumps(f"{function['name']}: {what}")
    used = [d for d in declarations if "&" + re.search(r"(\w+) = ", d)[1] in arguments.values()]
    lines = ["    {", *["        " + d for d in used]]
    lines.append(f"        const marline_status got = {function['name']}({given});")
    lines.append(f"        judge({label}, got, {want or 'ANY'});" if want or what else "        (void)got;")
    if arguments.get("err") == "&err":
        lines.append(f"        agree({label}, got, err.status);")
    for p in function["parameters"]:
        name = p["name"]
        if arguments[name] == "&" + name and name not in ("err", "options"):
            if p["type"].endswith("**"):
                free = p["ownership"].split()[-1]
                maybe = "if (got != MARLINE_OK) " if "also after success" in p["doc"] else ""
                lines.append(f"        {maybe}cleared({label}, got, {name} == NULL);")
                lines.append(f"        if ((void *){name} != (void *)&sentinel) {free}({name});")
            elif "BUFFER_TOO_SMALL" not in " ".join(function["statuses"]):
                lines.append(f"        if (got != MARLINE_OK) cleared({label}, got, {name} == 0);")
    return "\n".join(lines + ["    }"])


def main():
    tested = [f for f in API if f["returns"] == "marline_status"]
    print(HEAD)
    for f in tested:
        print(f"static void misuse_{f['name']}(void) {{")
        print(f"    begin({int(is_of_device(f))});")
        for what, changed, want in mistakes(f):
            print(call(f, what, changed, want))
        print("    end();\n}\n")
        exclusive = [p for p in f["parameters"] if handle_of(p) and not p["type"].startswith("const")]
        print(f"static void in_a_child_{f['name']}(void) {{")
        if exclusive or "MARLINE_ERR_WRONG_PROCESS" in f["statuses"]:
            print(call(f, "in a child process", {}, "MARLINE_ERR_WRONG_PROCESS"))
        print("}\n")
        sessions = [p for p in f["parameters"] if handle_of(p) == "session"]
        print(f"#ifdef MARLINE_TESTING\nstatic void poisoned_{f['name']}(marline_status want) {{")
        print("    (void)want;")
        if sessions:
            print(call(f, "poisoned or busy", {}, "want"))
        print("}\n#endif\n")
    print("static void accessors(void) {\n    begin(1);")
    for f in API:
        ours = [p for p in f["parameters"] if handle_of(p)]
        if f["returns"] == "marline_status" or not ours:
            continue
        empty = "" if f["returns"] == "void" else " == 0"
        wrong = WRONG[handle_of(ours[0])]
        for argument in ("NULL", f"(void *){wrong}", f"(void *)((char *){wrong} + 1)"):
            expression = f"{f['name']}({', '.join([argument] + ['0'] * (len(f['parameters']) - 1))})"
            print(f"    {expression};" if not empty else f"    CHECK({expression}{empty});")
            print("    cases++;")
    print("    end();\n}\n")
    for kind, condition in (("misuse", ""), ("in_a_child", "")):
        print(f"static void all_{kind}(void) {{")
        print("".join(f"    {kind}_{f['name']}();\n" for f in tested) + "}\n")
    print("#ifdef MARLINE_TESTING\nstatic void all_poisoned(marline_status want) {")
    print("".join(f"    poisoned_{f['name']}(want);\n" for f in tested) + "}\n#endif\n")
    print(TAIL)


HEAD = r"""/* Generated by ffi/tests/misuse.py. */
#define _POSIX_C_SOURCE 200809L
#include "world.h"
#ifdef MARLINE_TESTING
#include "marline_testing.h"
#include <pthread.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#define ANY (-1)
static world w;
static marline_pending *w_pending;
static marline_buffer *w_message, *w_sealed;
static marline_error err = MARLINE_ERROR_INIT;
static marline_options options = MARLINE_OPTIONS_INIT;
static marline_options wrong_padding = {sizeof options, UINT32_MAX, 0, 0};
static marline_options wrong_padding_size = {sizeof options, MARLINE_PADDING_BLOCK, UINT32_MAX, 0};
static marline_options wrong_slots = {sizeof options, 0, 0, UINT32_MAX};
static marline_options wrong_options = {0, 0, 0, 0};
static marline_device_options device_options = {sizeof device_options, MARLINE_DURABILITY_BATCHED, 0, 0, 0, 0, 0, 0};
static marline_device_options wrong_durability = {sizeof device_options, UINT32_MAX, 0, 0, 0, 0, 0, 0};
static marline_device_options wrong_anchor = {sizeof device_options, 0, UINT32_MAX, 0, 0, 0, 0, 0};
static marline_device_options wrong_device_options;
static marline_facts facts = MARLINE_FACTS_INIT, wrong_facts;
static marline_event event = MARLINE_EVENT_INIT, wrong_event;
static marline_device_facts device_facts = MARLINE_DEVICE_FACTS_INIT, wrong_device_facts;
static marline_maintenance maintenance = MARLINE_MAINTENANCE_INIT, wrong_maintenance;
static marline_contact_info contact_info = MARLINE_CONTACT_INFO_INIT, wrong_contact_info;
static marline_incoming incoming = MARLINE_INCOMING_INIT, wrong_incoming;
/* A public key that nobody has: the base point of Ed25519. */
static uint8_t base_point[MARLINE_ED25519_KEY_SIZE];
static marline_account *w_external;
static marline_signing *w_signing;
static marline_device *w_device;
static marline_contacts *w_contacts;
static marline_inbox *w_inbox;
static marline_outbox *w_outbox;
static char w_folder[] = "/tmp/marline-misuse-XXXXXX", w_path[64], w_anchor[72];
static pid_t maker;
static marline_contact *w_contact;
static marline_accepted *w_accepted;
static marline_events *w_events;
static uint8_t scratch[1 << 16];
static uint64_t sentinel;
static long cases;

static void judge(const char *what, marline_status got, marline_status want) {
    cases++;
    if (want == ANY ? got == MARLINE_ERR_NULL || got == MARLINE_ERR_INTERNAL : got != want) {
        fprintf(stderr, "%s: %s\n", what, marline_status_name(got));
        failures++;
    }
}
static void agree(const char *what, marline_status got, marline_status recorded) {
    if (got != recorded) {
        fprintf(stderr, "%s: the record says %s\n", what, marline_status_name(recorded));
        failures++;
    }
}
static void cleared(const char *what, marline_status got, int is_clear) {
    if ((got == MARLINE_OK) == is_clear) {
        fprintf(stderr, "%s: %s, and the output is %s\n", what, marline_status_name(got), is_clear ? "clear" : "set");
        failures++;
    }
}
static void begin_device(void) {
    static int number;
    marline_publication *publication;
    marline_contact *contact;
    marline_buffer *bundle, *message;
    uint8_t id[MARLINE_ID_SIZE];
    uint32_t added;
    snprintf(w_path, sizeof w_path, "%s/%d", w_folder, number++);
    snprintf(w_anchor, sizeof w_anchor, "%s.anchor", w_path);
    OK(marline_device_create((const uint8_t *)w_path, strlen(w_path), NULL, 0, MARLINE_UNLOCK_KEY, w.key, 32, NO_AD,
                             &device_options, &w_device, NULL));
    OK(marline_device_add_contact(w_device, TEXT("bob"), BYTES(w.bundle), NOW, &added, id, sizeof id, NULL));
    OK(marline_device_send(w_device, TEXT("bob"), TEXT("x"), NO_AD, NULL, NOW, id, sizeof id, &message, NULL));
    marline_buffer_free(message);
    OK(marline_device_outbox(w_device, &w_outbox, NULL));
    OK(marline_device_publish(w_device, 1, NOW, &publication, NULL));
    OK(marline_publication_bundle(publication, 0, &bundle, NULL));
    OK(marline_device_identity(w_device, id, sizeof id, NULL));
    OK(marline_contact_new(id, sizeof id, &contact, NULL));
    OK(marline_contact_initiate(contact, w.alice, BYTES(bundle), TEXT("x"), NO_AD, NULL, NOW, &message, NULL));
    OK(marline_device_receive(w_device, BYTES(message), NULL, 0, NO_AD, NOW, &w_inbox, NULL));
    OK(marline_device_contacts(w_device, &w_contacts, NULL));
    CHECK(marline_outbox_count(w_outbox) == 1 && marline_inbox_count(w_inbox) == 1);
    CHECK(marline_contacts_count(w_contacts) == 2);
    marline_contact_free(contact), marline_publication_free(publication);
    marline_buffer_free(bundle), marline_buffer_free(message);
}
static int in_one_world, is_open;
static void begin(int with_device) {
    if (in_one_world && is_open) return;
    is_open = 1, with_device |= in_one_world;
    uint64_t generation;
    uint8_t alice[MARLINE_ID_SIZE];
    uint32_t trust;
    marline_contact *to_bob, *from_alice;
    marline_publication *again;
    marline_opened *opened;
    marline_accepted *accepted;
    marline_buffer *first;
    world_open(&w);
    /* Two first messages to contacts: one is adopted, for its events; the other waits to be. */
    marline_publication_free(w.publication), marline_buffer_free(w.bundle);
    OK(marline_account_publish(w.bob, 3, NOW, &w.publication, NULL));
    OK(marline_publication_bundle(w.publication, 0, &w.bundle, NULL));
    OK(marline_account_identity(w.alice, alice, sizeof alice, NULL));
    OK(marline_contact_new(marline_opened_identity(w.hello), MARLINE_ID_SIZE, &from_alice, NULL));
    again = w.publication;
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t bob[MARLINE_ID_SIZE];
        marline_buffer *bundle;
        OK(marline_account_identity(w.bob, bob, sizeof bob, NULL));
        OK(marline_publication_bundle(again, i, &bundle, NULL));
        OK(marline_contact_new(bob, sizeof bob, &to_bob, NULL));
        OK(marline_contact_initiate(to_bob, w.alice, BYTES(bundle), TEXT("x"), NO_AD, NULL, NOW, &first, NULL));
        OK(marline_account_accept_first(w.bob, BYTES(first), NO_AD, NOW, &accepted, NULL));
        if (i == 0) {
            OK(marline_contact_adopt(from_alice, accepted, NOW, &opened, &trust, &w_events, NULL));
            CHECK(opened != NULL && trust == MARLINE_TRUST_UNVERIFIED && marline_events_count(w_events) == 1);
            marline_opened_free(opened), marline_accepted_free(accepted);
        }
        marline_buffer_free(first), marline_buffer_free(bundle), marline_contact_free(to_bob);
    }
    w_accepted = accepted, w_contact = from_alice;
    OK(marline_session_prepare_encrypt(w.to_bob, TEXT("x"), NO_AD, NULL, &w_pending, NULL));
    OK(marline_session_encrypt(w.to_alice, TEXT("x"), NO_AD, NULL, &w_message, NULL));
    OK(marline_session_export(w.to_bob, w.key, 32, &w_sealed, &generation, NULL));
    memset(base_point, 0x66, sizeof base_point), base_point[0] = 0x58;
    OK(marline_account_external(base_point, sizeof base_point, scratch, MARLINE_MLDSA65_KEY_SIZE, NO_AD, &w_external, NULL));
    OK(marline_account_prepare_publish(w_external, 1, NOW, &w_signing, NULL));
    if (with_device) begin_device();
}
static void end_world(void) {
    is_open = 0;
    marline_account_free(w_external), marline_signing_free(w_signing);
    marline_device_free(w_device), marline_contacts_free(w_contacts);
    marline_inbox_free(w_inbox), marline_outbox_free(w_outbox);
    if (getpid() == maker) { /* a child leaves the device alone, and what points to it */
        w_device = NULL, w_contacts = NULL, w_inbox = NULL, w_outbox = NULL;
    }
    marline_pending_free(w_pending);
    marline_buffer_free(w_message), marline_buffer_free(w_sealed);
    marline_contact_free(w_contact), marline_accepted_free(w_accepted), marline_events_free(w_events);
    world_close(&w);
}
static void end(void) {
    if (!in_one_world) end_world();
}
"""

TAIL = r"""#ifdef MARLINE_TESTING
static uint32_t let_go, is_held;
static uint32_t released(void) {
    __atomic_store_n(&is_held, 1, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&let_go, __ATOMIC_SEQ_CST);
}
static void *hold(void *session) {
    marline_testing_hold(session, released);
    return NULL;
}
#endif

int main(int argc, char **argv) {
    int status = 0;
    pid_t child;
    char command[64];
    maker = getpid();
    in_one_world = argc > 1 && strcmp(argv[1], "quick") == 0;
    CHECK(mkdtemp(w_folder) != NULL);
    all_misuse();
    accessors();
    begin(1);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        failures = 0;
        all_in_a_child();
        end();
        _exit(failures != 0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    end();
#ifdef MARLINE_TESTING
    pthread_t thread;
    begin(1);
    CHECK(pthread_create(&thread, NULL, hold, w.to_bob) == 0);
    while (!__atomic_load_n(&is_held, __ATOMIC_SEQ_CST)) {
    }
    all_poisoned(MARLINE_ERR_BUSY);
    __atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    EXPECT(MARLINE_ERR_INTERNAL, marline_testing_panic(w.to_bob, NULL));
    all_poisoned(MARLINE_ERR_POISONED);
    end();
#endif
    if (is_open) end_world();
    snprintf(command, sizeof command, "rm -rf '%s'", w_folder);
    CHECK(system(command) == 0);
    printf("misuse: %ld cases, %d failures\n", cases, failures);
    return failures != 0 || cases < 1200;
}
"""

main()
