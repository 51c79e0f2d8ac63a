// The C++ suite, through marline.hpp. Built with and without exceptions and RTTI, as C++17 and C++20.
#include <marline.hpp>

#include <cstdio>
#include <cstdlib>
#if __cplusplus >= 202002L
#include <span>
#endif
#include <type_traits>
#include <unistd.h>

namespace {
int failures = 0;
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            failures++; \
        } \
    } while (0)

constexpr std::uint64_t now = 1800000000;
const std::array<std::uint8_t, MARLINE_KEY_SIZE> key{1, 2, 3};

static_assert(!std::is_copy_constructible_v<marline::session> && std::is_nothrow_move_constructible_v<marline::session>);
static_assert(!std::is_copy_assignable_v<marline::account> && std::is_nothrow_move_assignable_v<marline::account>);
static_assert(sizeof(marline::buffer) == sizeof(void *));

void conversation() {
    auto alice = marline::account::generate("alice").value();
    auto bob = marline::account::generate(std::string("bob")).value();
    auto publication = bob.publish(2, now).value();
    auto bundle = publication.bundle(0).value();
    CHECK(*marline::unverified_identity(bundle) == *bob.identity());

    auto [to_bob, first] = alice.initiate(bundle, "hello", now, "ad").value();
    auto accepted = bob.accept(first, now, "ad").value();
    CHECK(accepted.opened.text() == "hello");
    CHECK(accepted.opened.subject() == marline::bytes("alice"));
    CHECK(accepted.opened.peer() == *alice.identity());

    marline::session to_alice = std::move(accepted.session);
    CHECK(!accepted.session);
    auto reply = to_alice.encrypt("hi", {}, {MARLINE_PADDING_BLOCK, 512, 0}).value();
    CHECK(reply.size() == *to_alice.message_size(2, {MARLINE_PADDING_BLOCK, 512, 0}));
    CHECK(to_bob.decrypt(reply)->text() == "hi");

    std::vector<std::uint8_t> vector{1, 2, 3};
    auto binary = to_bob.encrypt(vector).value();
    CHECK(to_alice.decrypt(binary)->plaintext() == marline::bytes(vector));
#if __cplusplus >= 202002L
    std::span<const std::uint8_t> span(vector);
    CHECK(to_alice.decrypt(*to_bob.encrypt(span))->plaintext().size() == 3);
#endif
    CHECK(*marline::safety_number(*alice.identity(), *bob.identity())
          == *marline::safety_number(*bob.identity(), *alice.identity()));
    CHECK(to_bob.export_secret("call", "1", 32)->view() == to_alice.export_secret("call", "1", 32)->view());
    CHECK(to_bob.facts()->peer_has_answered == 1);
    CHECK(to_bob.peer_subject()->text() == "bob");
    CHECK(to_bob.maintain(now));
}

void states() {
    auto alice = marline::account::generate("alice").value();
    auto bob = marline::account::generate("bob").value();
    auto started = alice.initiate(*bob.publish(1, now)->bundle(MARLINE_LAST_RESORT), "", now).value();
    auto accepted = bob.accept(started.message, now).value();
    auto stored = bob.export_state(key).value();
    CHECK(marline::account::import(key, stored.sealed, stored.generation + 1).code() == MARLINE_ERR_ROLLBACK);
    CHECK(*marline::account::import(key, stored.sealed, stored.generation)->subject()->text().data() == 'b');

    auto change = accepted.session.prepare_encrypt("persisted").value();
    auto state = change.state(key).value();
    CHECK(change.output()->size() > 0);
    auto message = accepted.session.commit_encrypt(std::move(change)).value();
    auto restored = marline::session::import(key, state.sealed, state.generation).value();
    CHECK(*restored.encrypt("next") && restored.facts()->generation > accepted.session.facts()->generation);
    auto opening = started.session.prepare_decrypt(message).value();
    CHECK(started.session.commit_decrypt(std::move(opening))->text() == "persisted");
    auto again = started.session.decrypt(message);
    CHECK(!again && again.code() == MARLINE_ERR_DUPLICATE);
    CHECK(again.status().category() == MARLINE_CLASS_DATA);
    CHECK(std::string_view(again.status().name()) == "MARLINE_ERR_DUPLICATE");
#if defined(__cpp_exceptions)
    bool thrown = false;
    try {
        (void)started.session.decrypt(message).value();
    } catch (const marline::failure &failure) {
        thrown = failure.code() == MARLINE_ERR_DUPLICATE && std::string_view(failure.what()) == "already delivered";
    }
    CHECK(thrown);
#endif
    marline::session moved = std::move(restored);
    CHECK(restored.encrypt("x").code() == MARLINE_ERR_NULL);
    marline_session_free(moved.release());
    CHECK(!moved);
}

void contacts() {
    auto alice = marline::account::generate("alice").value();
    auto bob = marline::account::generate("bob").value();
    auto to_bob = marline::contact::create(*bob.identity()).value();
    auto to_alice = marline::contact::create(*alice.identity()).value();
    CHECK(to_bob.send("x").code() == MARLINE_ERR_NO_SESSION);
    auto bundle = bob.publish(1, now)->bundle(0).value();
    auto first = to_bob.initiate(alice, bundle, "hello", now).value();
    auto accepted = marline::accepted_first::accept(bob, first, now).value();
    CHECK(*accepted.identity() == *alice.identity());
    auto hello = to_alice.adopt(std::move(accepted), now).value();
    CHECK(hello.opened.text() == "hello" && hello.trust == MARLINE_TRUST_UNVERIFIED && hello.events.size() == 1);
    CHECK(hello.events.at(0)->kind == MARLINE_EVENT_NEW_SESSION && !hello.events.at(1));
    CHECK(*to_alice.owns(first) && *to_alice.session_count() == 1 && to_alice.session_facts(0)->slots == 4);
    CHECK(to_bob.set_verified(*alice.identity(), true).code == MARLINE_ERR_IDENTITY_CHANGED);
    CHECK(to_bob.set_verified(*bob.identity(), true));
    auto hi = to_bob.receive(*to_alice.send("hi")).value();
    CHECK(hi.opened.text() == "hi" && hi.trust == MARLINE_TRUST_VERIFIED);
    auto state = to_bob.export_state(key).value();
    CHECK(*marline::contact::import(key, state.sealed, state.generation)->identity() == *bob.identity());
    CHECK(!to_bob.changed_identity()->has_value() && *to_bob.observe(*alice.identity()));
    CHECK(*to_bob.changed_identity() == std::optional(*alice.identity()) && to_bob.reject() && to_bob.maintain(now));
    CHECK(!to_bob.acknowledge(*alice.identity()) && *to_bob.trust(*alice.identity()) == MARLINE_TRUST_OTHER);
    CHECK(to_bob.reset(alice, bundle, now));
}
void devices() {
    char folder[] = "/tmp/marline-cpp-XXXXXX";
    CHECK(mkdtemp(folder) != nullptr);
    const std::string path(folder);
    marline::device_options batched;
    batched.raw.durability = MARLINE_DURABILITY_BATCHED;
    const auto by = marline::unlock::key(key);
    auto alice = marline::device::create(path + "/alice", by, "alice", batched).value();
    auto bob = marline::device::create(path + "/bob", by, "bob", batched).value();
    CHECK(marline::device::create(path + "/bob", by, "bob").code() == MARLINE_ERR_EXISTS);
    auto bundle = bob.publish(1, now)->bundle(0).value();
    CHECK(marline::verify_bundle(bundle, *alice.identity(), now));
    auto added = alice.add_contact("bob", bundle, now).value();
    CHECK(added.first == MARLINE_ADDED_NEW && added.second == *bob.identity());
    auto sent = alice.send("bob", "hello", now, "ad").value();
    CHECK(alice.outbox()->size() == 1 && alice.outbox()->at(0)->second.message.view() == sent.message.view());
    CHECK(alice.mark_sent(sent.id) && alice.flush() && alice.outbox()->size() == 0);
    auto got = bob.receive(sent.message, now, {}, "ad").value();
    CHECK(got.size() == 1 && got.plaintext().text() == "hello" && got.contact() == "alice");
    CHECK(got.subject() == marline::bytes("alice") && got.events()->size() == 1);
    CHECK(bob.inbox()->size() == 1 && bob.acknowledge(got.at(0)->id) && bob.inbox()->size() == 0);
    CHECK(bob.receive(sent.message, now, "alice", "ad").code() == MARLINE_ERR_DUPLICATE);
    CHECK(alice.set_verified("bob", added.second, true) && alice.contact("bob")->at(0)->verified == 1);
    CHECK(alice.contacts()->name(0) == "bob" && alice.contacts()->session(0, 0)->slots == 4);
    CHECK(alice.reject_identity("bob") && !alice.acknowledge_identity("bob", added.second));
    CHECK(alice.reset("bob", now).code() == MARLINE_ERR_NO_SESSION);
    CHECK(alice.maintain(now)->publication && alice.unpublished().value() && alice.mark_published());
    CHECK(!alice.unpublished().value() && alice.status(now)->contacts == 1 && alice.subject()->text() == "alice");
    const auto generation = *alice.generation();
    CHECK(alice.backup(path + "/copy"));
    marline::device_options newer;
    newer.raw.minimum_generation = generation + 100;
    CHECK(marline::device::open(path + "/copy", by, newer).code() == MARLINE_ERR_ROLLBACK);
    CHECK(*marline::device::open_restored(path + "/copy", by, now)->identity() == *alice.identity());
    CHECK(std::system(("rm -rf '" + path + "'").c_str()) == 0);
}

/** With keys that nobody has the secret of; bindings/python has a signer. */
void signing() {
    std::array<std::uint8_t, MARLINE_ED25519_KEY_SIZE> ed25519;
    ed25519.fill(0x66), ed25519[0] = 0x58;
    const std::vector<std::uint8_t> mldsa65(MARLINE_MLDSA65_KEY_SIZE, 1);
    const std::vector<std::uint8_t> small(MARLINE_ED25519_SIGNATURE_SIZE, 2), large(MARLINE_MLDSA65_SIGNATURE_SIZE, 3);
    auto hsm = marline::account::external(ed25519, mldsa65, "hsm").value();
    auto bob = marline::account::generate("bob").value();
    auto bundle = bob.publish(1, now)->bundle(0).value();
    CHECK(hsm.publish(1, now).code() == MARLINE_ERR_SIGNER);
    auto publication = hsm.prepare_publish(1, now).value();
    CHECK(publication.input().size() > 2000);
    CHECK(hsm.finish_publish(publication, small, large).code() == MARLINE_ERR_SIGNER);
    auto session = hsm.prepare_initiate(bundle, "x", now).value();
    CHECK(hsm.finish_initiate(session, small, large).code() == MARLINE_ERR_SIGNER);
    auto to_bob = marline::contact::create(*bob.identity()).value();
    auto opening = to_bob.prepare_initiate(hsm, bundle, "x", now).value();
    auto reset = to_bob.prepare_reset(hsm, bundle, now).value();
    CHECK(to_bob.finish(hsm, opening, small, large).code() == MARLINE_ERR_SIGNER);
    CHECK(to_bob.finish(hsm, session, small, large).code() == MARLINE_ERR_SPENT);
    auto state = hsm.export_state(key).value();
    CHECK(*marline::account::import_external(key, ed25519, mldsa65, state.sealed, 0)->identity() == *hsm.identity());
}
} // namespace

int main() {
    conversation();
    contacts();
    states();
    devices();
    signing();
    std::printf("suite.cpp: %d failures\n", failures);
    return failures != 0;
}
