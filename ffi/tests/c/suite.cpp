// The C++ suite, through marline.hpp. Built with and without exceptions and RTTI, as C++17 and C++20.
#include <marline.hpp>

#include <cstdio>
#if __cplusplus >= 202002L
#include <span>
#endif
#include <type_traits>

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
    CHECK(to_bob.set_verified(true));
    auto hi = to_bob.receive(*to_alice.send("hi")).value();
    CHECK(hi.opened.text() == "hi" && hi.trust == MARLINE_TRUST_VERIFIED);
    auto state = to_bob.export_state(key).value();
    CHECK(*marline::contact::import(key, state.sealed, state.generation)->identity() == *bob.identity());
    CHECK(!to_bob.changed_identity()->has_value() && *to_bob.observe(*alice.identity()));
    CHECK(*to_bob.changed_identity() == std::optional(*alice.identity()) && to_bob.reject() && to_bob.maintain(now));
    CHECK(!to_bob.acknowledge(*alice.identity()) && *to_bob.trust(*alice.identity()) == MARLINE_TRUST_OTHER);
    CHECK(to_bob.reset(alice, bundle, now));
}
} // namespace

int main() {
    conversation();
    contacts();
    states();
    std::printf("suite.cpp: %d failures\n", failures);
    return failures != 0;
}
