/**
 * @file marline.hpp
 * Marline for C++17 and later: header-only, over marline.h.
 *
 * Handles are move-only classes that free (and wipe) what they own. Bytes in are `marline::bytes`, made of
 * a string view, a vector, an array or a span; bytes out are `marline::buffer`. What can fail returns
 * `marline::result<T>`: test it, then `*r` or `r->`; `r.value()` throws `marline::failure` when exceptions are
 * on and ends the program when they are off. Works with -fno-exceptions and -fno-rtti.
 *
 * What a function means, which statuses it returns and which threads may call it: see marline.h.
 */
#ifndef MARLINE_HPP
#define MARLINE_HPP

#include <marline.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#if defined(__cpp_exceptions)
#include <exception>
#endif

namespace marline {
inline namespace v0 {

/** Bytes that somebody else owns: a view, valid as long as they are. */
class bytes {
public:
    constexpr bytes() noexcept = default;
    constexpr bytes(const std::uint8_t *data, std::size_t size) noexcept : data_(data), size_(size) {}
    bytes(std::string_view text) noexcept
        : data_(reinterpret_cast<const std::uint8_t *>(text.data())), size_(text.size()) {}
    bytes(const char *text) noexcept : bytes(std::string_view(text)) {}
    bytes(const std::string &text) noexcept : bytes(std::string_view(text)) {}
    /** Any contiguous container of bytes: vector, array, span, marline::buffer. */
    template <class C, class = std::enable_if_t<
                           std::is_convertible_v<decltype(std::declval<const C &>().data()), const std::uint8_t *>>>
    constexpr bytes(const C &container) noexcept : data_(container.data()), size_(container.size()) {}

    constexpr const std::uint8_t *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr const std::uint8_t *begin() const noexcept { return data_; }
    constexpr const std::uint8_t *end() const noexcept { return data_ + size_; }
    std::string_view text() const noexcept { return {reinterpret_cast<const char *>(data_), size_}; }

    friend bool operator==(bytes a, bytes b) noexcept {
        return a.size_ == b.size_ && (a.size_ == 0 || std::memcmp(a.data_, b.data_, a.size_) == 0);
    }
    friend bool operator!=(bytes a, bytes b) noexcept { return !(a == b); }

private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/** A status that is not MARLINE_OK, or is. */
struct [[nodiscard]] status {
    marline_status code = MARLINE_OK;

    explicit operator bool() const noexcept { return code == MARLINE_OK; }
    const char *name() const noexcept { return marline_status_name(code); }
    const char *message() const noexcept { return marline_status_message(code); }
    /** MARLINE_CLASS_... */
    std::uint32_t category() const noexcept { return marline_status_class(code); }
};

#if defined(__cpp_exceptions)
/** What `value()` throws. */
class failure : public std::exception {
public:
    explicit failure(marline_status code) noexcept : status_{code} {}
    const char *what() const noexcept override { return status_.message(); }
    marline_status code() const noexcept { return status_.code; }

private:
    v0::status status_;
};
#endif

namespace detail {
[[noreturn]] inline void fail(marline_status code) {
#if defined(__cpp_exceptions)
    throw failure(code);
#else
    (void)code;
    std::abort();
#endif
}
} // namespace detail

/** A value, or the status that says why there is none. */
template <class T> class [[nodiscard]] result {
public:
    result(T value) noexcept : value_(std::move(value)) {}
    result(v0::status why) noexcept : status_(why) {}

    explicit operator bool() const noexcept { return value_.has_value(); }
    bool has_value() const noexcept { return value_.has_value(); }
    v0::status status() const noexcept { return status_; }
    marline_status code() const noexcept { return status_.code; }

    /** Only if it has a value. */
    T &operator*() & noexcept { return *value_; }
    T &&operator*() && noexcept { return *std::move(value_); }
    T *operator->() noexcept { return &*value_; }
    /** The value; without one it throws, or ends the program where exceptions are off. */
    T &value() & {
        if (!value_) detail::fail(status_.code);
        return *value_;
    }
    T &&value() && {
        if (!value_) detail::fail(status_.code);
        return *std::move(value_);
    }

private:
    std::optional<T> value_;
    v0::status status_;
};

namespace detail {
template <class H, void (*Free)(H *)> struct deleter {
    void operator()(H *handle) const noexcept { Free(handle); }
};

/** Owns a C handle. */
template <class H, void (*Free)(H *)> class owner {
public:
    owner() noexcept = default;
    explicit owner(H *handle) noexcept : handle_(handle) {}
    /** The C handle, for functions of marline.h. */
    H *get() const noexcept { return handle_.get(); }
    /** Gives the C handle away: the caller frees it. */
    [[nodiscard]] H *release() noexcept { return handle_.release(); }
    explicit operator bool() const noexcept { return handle_ != nullptr; }

protected:
    std::unique_ptr<H, deleter<H, Free>> handle_;
};

/** Calls a function whose last output before the error record is a handle. */
template <class T, class H, class F, class... A> result<T> make(F function, A... arguments) {
    H *handle = nullptr;
    const marline_status code = function(arguments..., &handle, nullptr);
    if (code != MARLINE_OK) return status{code};
    return T(handle);
}

/** The same for a number. */
template <class N, class F, class... A> result<N> number(F function, A... arguments) {
    N out = 0;
    const marline_status code = function(arguments..., &out, nullptr);
    if (code != MARLINE_OK) return status{code};
    return out;
}
} // namespace detail

using identity = std::array<std::uint8_t, MARLINE_ID_SIZE>;

/** Bytes that the library allocated; wiped when they go. */
class buffer : public detail::owner<marline_buffer, marline_buffer_free> {
public:
    using owner::owner;
    const std::uint8_t *data() const noexcept { return marline_buffer_data(get()); }
    std::size_t size() const noexcept { return marline_buffer_len(get()); }
    v0::bytes view() const noexcept { return {data(), size()}; }
    std::string_view text() const noexcept { return view().text(); }
};

/** A plaintext with its authenticated sender. */
class opened : public detail::owner<marline_opened, marline_opened_free> {
public:
    using owner::owner;
    v0::bytes plaintext() const noexcept { return {marline_opened_plaintext(get()), marline_opened_plaintext_len(get())}; }
    std::string_view text() const noexcept { return plaintext().text(); }
    /** The name the sender claims. */
    v0::bytes subject() const noexcept { return {marline_opened_subject(get()), marline_opened_subject_len(get())}; }
    /** The sender's identity. */
    v0::identity peer() const noexcept {
        v0::identity id{};
        if (const std::uint8_t *from = marline_opened_identity(get())) std::memcpy(id.data(), from, id.size());
        return id;
    }
};

/** A sealed state and the generation to remember. */
struct sealed_state {
    buffer sealed;
    std::uint64_t generation;
};

/** Choices of a sender. */
struct options {
    std::uint32_t padding = MARLINE_PADDING_DEFAULT;
    std::uint32_t padding_size = 0;
    std::uint32_t slots = MARLINE_SLOTS_DEFAULT;

    marline_options raw() const noexcept {
        return {sizeof(marline_options), padding, padding_size, slots};
    }
};

/** A prepared change: store `state`, and `output` with it, then `session::commit_…`. */
class pending : public detail::owner<marline_pending, marline_pending_free> {
public:
    using owner::owner;
    result<sealed_state> state(bytes key) const {
        marline_buffer *sealed = nullptr;
        std::uint64_t generation = 0;
        const auto code = marline_pending_state(get(), key.data(), key.size(), &sealed, &generation, nullptr);
        if (code != MARLINE_OK) return status{code};
        return sealed_state{buffer(sealed), generation};
    }
    /** The message or the plaintext, for an outbox or inbox written together with `state`; nothing else before the commit. */
    result<buffer> output() const { return detail::make<buffer, marline_buffer>(marline_pending_output, get()); }
};

/** A conversation with one peer device. */
class session : public detail::owner<marline_session, marline_session_free> {
public:
    using owner::owner;

    static result<session> import(bytes key, bytes sealed, std::uint64_t minimum_generation) {
        return detail::make<session, marline_session>(marline_session_import, key.data(), key.size(), sealed.data(),
                                                      sealed.size(), minimum_generation);
    }
    result<sealed_state> export_state(bytes key) const {
        marline_buffer *sealed = nullptr;
        std::uint64_t generation = 0;
        const auto code = marline_session_export(get(), key.data(), key.size(), &sealed, &generation, nullptr);
        if (code != MARLINE_OK) return status{code};
        return sealed_state{buffer(sealed), generation};
    }
    result<buffer> encrypt(bytes plaintext, bytes ad = {}, const options &with = {}) {
        const marline_options raw = with.raw();
        return detail::make<buffer, marline_buffer>(marline_session_encrypt, get(), plaintext.data(), plaintext.size(),
                                                    ad.data(), ad.size(), &raw);
    }
    result<opened> decrypt(bytes message, bytes ad = {}) {
        return detail::make<opened, marline_opened>(marline_session_decrypt, get(), message.data(), message.size(),
                                                    ad.data(), ad.size());
    }
    result<pending> prepare_encrypt(bytes plaintext, bytes ad = {}, const options &with = {}) const {
        const marline_options raw = with.raw();
        return detail::make<pending, marline_pending>(marline_session_prepare_encrypt, get(), plaintext.data(),
                                                      plaintext.size(), ad.data(), ad.size(), &raw);
    }
    result<pending> prepare_decrypt(bytes message, bytes ad = {}) const {
        return detail::make<pending, marline_pending>(marline_session_prepare_decrypt, get(), message.data(),
                                                      message.size(), ad.data(), ad.size());
    }
    /** Takes the pending change: it is spent whatever the result. */
    result<buffer> commit_encrypt(pending change) {
        return detail::make<buffer, marline_buffer>(marline_session_commit_encrypt, get(), change.get());
    }
    result<opened> commit_decrypt(pending change) {
        return detail::make<opened, marline_opened>(marline_session_commit_decrypt, get(), change.get());
    }
    result<std::size_t> message_size(std::size_t plaintext_size, const options &with = {}) const {
        const marline_options raw = with.raw();
        return detail::number<std::size_t>(marline_session_message_len, get(), plaintext_size, &raw);
    }
    status maintain(std::uint64_t now) { return {marline_session_maintain(get(), now, nullptr)}; }
    result<marline_facts> facts() const {
        marline_facts out = MARLINE_FACTS_INIT;
        const auto code = marline_session_facts(get(), &out, nullptr);
        if (code != MARLINE_OK) return status{code};
        return out;
    }
    result<buffer> peer_subject() const {
        return detail::make<buffer, marline_buffer>(marline_session_peer_subject, get());
    }
    result<buffer> export_secret(bytes label, bytes context, std::size_t size) const {
        return detail::make<buffer, marline_buffer>(marline_session_export_secret, get(), label.data(), label.size(),
                                                    context.data(), context.size(), size);
    }
};

/** What a device gives to a directory. */
class publication : public detail::owner<marline_publication, marline_publication_free> {
public:
    using owner::owner;
    result<std::uint32_t> count() const { return detail::number<std::uint32_t>(marline_publication_count, get()); }
    result<buffer> manifest() const { return detail::make<buffer, marline_buffer>(marline_publication_manifest, get()); }
    result<buffer> record(std::uint32_t index) const {
        return detail::make<buffer, marline_buffer>(marline_publication_record, get(), index);
    }
    result<buffer> bundle(std::uint32_t index) const {
        return detail::make<buffer, marline_buffer>(marline_publication_bundle, get(), index);
    }
};

/** Bytes that both keys of an identity sign that is kept elsewhere: see account::external. */
class signing : public detail::owner<marline_signing, marline_signing_free> {
public:
    using owner::owner;
    v0::bytes input() const noexcept { return {marline_signing_input(get()), marline_signing_input_len(get())}; }
};

/** A new session and its first message, which goes to the peer. */
struct initiated {
    v0::session session;
    buffer message;
};

/** A new session and its first plaintext. */
struct accepted {
    v0::session session;
    v0::opened opened;
};

/** One device's identity and prekeys. */
class account : public detail::owner<marline_account, marline_account_free> {
public:
    using owner::owner;

    static result<account> generate(bytes subject) {
        return detail::make<account, marline_account>(marline_account_generate, subject.data(), subject.size());
    }
    static result<account> import(bytes key, bytes sealed, std::uint64_t minimum_generation) {
        return detail::make<account, marline_account>(marline_account_import, key.data(), key.size(), sealed.data(),
                                                      sealed.size(), minimum_generation);
    }
    result<sealed_state> export_state(bytes key) const {
        marline_buffer *sealed = nullptr;
        std::uint64_t generation = 0;
        const auto code = marline_account_export(get(), key.data(), key.size(), &sealed, &generation, nullptr);
        if (code != MARLINE_OK) return status{code};
        return sealed_state{buffer(sealed), generation};
    }
    result<v0::identity> identity() const {
        v0::identity id{};
        const auto code = marline_account_identity(get(), id.data(), id.size(), nullptr);
        if (code != MARLINE_OK) return status{code};
        return id;
    }
    result<buffer> subject() const { return detail::make<buffer, marline_buffer>(marline_account_subject, get()); }
    result<std::uint64_t> generation() const {
        return detail::number<std::uint64_t>(marline_account_generation, get());
    }
    result<v0::publication> publish(std::uint32_t count, std::uint64_t now) {
        return detail::make<v0::publication, marline_publication>(marline_account_publish, get(), count, now);
    }
    /** MARLINE_TASK_... bits. */
    result<std::uint32_t> due(std::uint64_t now) const {
        return detail::number<std::uint32_t>(marline_account_due, get(), now);
    }
    result<std::uint32_t> delete_expired(std::uint64_t now) {
        return detail::number<std::uint32_t>(marline_account_delete_expired, get(), now);
    }
    result<std::uint32_t> one_time_left() const {
        return detail::number<std::uint32_t>(marline_account_one_time_left, get());
    }
    result<initiated> initiate(bytes bundle, bytes plaintext, std::uint64_t now, bytes ad = {},
                               const options &with = {}) {
        const marline_options raw = with.raw();
        marline_session *session = nullptr;
        marline_buffer *message = nullptr;
        const auto code = marline_account_initiate(get(), bundle.data(), bundle.size(), plaintext.data(),
                                                   plaintext.size(), ad.data(), ad.size(), &raw, now, &session,
                                                   &message, nullptr);
        if (code != MARLINE_OK) return status{code};
        return initiated{v0::session(session), buffer(message)};
    }
    result<accepted> accept(bytes message, std::uint64_t now, bytes ad = {}) {
        marline_session *session = nullptr;
        marline_opened *opened = nullptr;
        const auto code = marline_account_accept(get(), message.data(), message.size(), ad.data(), ad.size(), now,
                                                 &session, &opened, nullptr);
        if (code != MARLINE_OK) return status{code};
        return accepted{v0::session(session), v0::opened(opened)};
    }

    /** An account whose identity signs elsewhere: `prepare_…`, have `signing::input` signed by both keys, `finish_…`. */
    static result<account> external(bytes ed25519, bytes mldsa65, bytes subject) {
        return detail::make<account, marline_account>(marline_account_external, ed25519.data(), ed25519.size(),
                                                      mldsa65.data(), mldsa65.size(), subject.data(), subject.size());
    }
    static result<account> import_external(bytes key, bytes ed25519, bytes mldsa65, bytes sealed,
                                           std::uint64_t minimum_generation) {
        return detail::make<account, marline_account>(marline_account_import_external, key.data(), key.size(),
                                                      ed25519.data(), ed25519.size(), mldsa65.data(), mldsa65.size(),
                                                      sealed.data(), sealed.size(), minimum_generation);
    }
    result<signing> prepare_publish(std::uint32_t count, std::uint64_t now) {
        return detail::make<signing, marline_signing>(marline_account_prepare_publish, get(), count, now);
    }
    result<signing> prepare_initiate(bytes bundle, bytes plaintext, std::uint64_t now, bytes ad = {},
                                     const options &with = {}) {
        const marline_options raw = with.raw();
        return detail::make<signing, marline_signing>(marline_account_prepare_initiate, get(), bundle.data(), bundle.size(),
                                                      plaintext.data(), plaintext.size(), ad.data(), ad.size(), &raw, now);
    }
    /** `what` may be used again if the signatures do not verify. */
    result<v0::publication> finish_publish(signing &what, bytes ed25519, bytes mldsa65) {
        return detail::make<v0::publication, marline_publication>(marline_account_finish_publish, get(), what.get(),
                                                                  ed25519.data(), ed25519.size(), mldsa65.data(),
                                                                  mldsa65.size());
    }
    result<initiated> finish_initiate(signing &what, bytes ed25519, bytes mldsa65) {
        marline_session *session = nullptr;
        marline_buffer *message = nullptr;
        const auto code = marline_account_finish_initiate(get(), what.get(), ed25519.data(), ed25519.size(), mldsa65.data(),
                                                          mldsa65.size(), &session, &message, nullptr);
        if (code != MARLINE_OK) return status{code};
        return initiated{v0::session(session), buffer(message)};
    }
};

/** Something that an application is to be told, and mostly its user to see. */
class events : public detail::owner<marline_events, marline_events_free> {
public:
    using owner::owner;
    std::size_t size() const noexcept { return marline_events_count(get()); }
    result<marline_event> at(std::uint32_t index) const {
        marline_event out = MARLINE_EVENT_INIT;
        const auto code = marline_events_get(get(), index, &out, nullptr);
        if (code != MARLINE_OK) return status{code};
        return out;
    }
};

/** What came out of a message to a contact. `opened` is empty after a reset, or when an event says why. */
struct received {
    v0::opened opened;
    std::uint32_t trust;
    v0::events events;
};

/** An accepted first message that awaits its contact. */
class accepted_first : public detail::owner<marline_accepted, marline_accepted_free> {
public:
    using owner::owner;
    static result<accepted_first> accept(account &by, bytes message, std::uint64_t now, bytes ad = {}) {
        return detail::make<accepted_first, marline_accepted>(marline_account_accept_first, by.get(), message.data(),
                                                              message.size(), ad.data(), ad.size(), now);
    }
    result<v0::identity> identity() const {
        v0::identity id{};
        const auto code = marline_accepted_identity(get(), id.data(), id.size(), nullptr);
        if (code != MARLINE_OK) return status{code};
        return id;
    }
};

/** All sessions with one peer device. */
class contact : public detail::owner<marline_contact, marline_contact_free> {
public:
    using owner::owner;

    static result<contact> create(const v0::identity &of) {
        return detail::make<contact, marline_contact>(marline_contact_new, of.data(), of.size());
    }
    static result<contact> import(bytes key, bytes sealed, std::uint64_t minimum_generation) {
        return detail::make<contact, marline_contact>(marline_contact_import, key.data(), key.size(), sealed.data(),
                                                      sealed.size(), minimum_generation);
    }
    result<sealed_state> export_state(bytes key) const {
        marline_buffer *sealed = nullptr;
        std::uint64_t generation = 0;
        const auto code = marline_contact_export(get(), key.data(), key.size(), &sealed, &generation, nullptr);
        if (code != MARLINE_OK) return status{code};
        return sealed_state{buffer(sealed), generation};
    }
    result<buffer> initiate(account &by, bytes bundle, bytes plaintext, std::uint64_t now, bytes ad = {},
                            const options &with = {}) {
        const marline_options raw = with.raw();
        return detail::make<buffer, marline_buffer>(marline_contact_initiate, get(), by.get(), bundle.data(), bundle.size(),
                                                    plaintext.data(), plaintext.size(), ad.data(), ad.size(), &raw, now);
    }
    result<buffer> reset(account &by, bytes bundle, std::uint64_t now, bytes ad = {}, const options &with = {}) {
        const marline_options raw = with.raw();
        return detail::make<buffer, marline_buffer>(marline_contact_reset, get(), by.get(), bundle.data(), bundle.size(),
                                                    ad.data(), ad.size(), &raw, now);
    }
    result<buffer> send(bytes plaintext, bytes ad = {}, const options &with = {}) {
        const marline_options raw = with.raw();
        return detail::make<buffer, marline_buffer>(marline_contact_send, get(), plaintext.data(), plaintext.size(),
                                                    ad.data(), ad.size(), &raw);
    }
    result<bool> owns(bytes message) const {
        auto answer = detail::number<std::uint32_t>(marline_contact_owns, get(), message.data(), message.size());
        if (!answer) return answer.status();
        return *answer == 1;
    }
    result<received> receive(bytes message, bytes ad = {}) {
        return take(marline_contact_receive, message.data(), message.size(), ad.data(), ad.size());
    }
    /** Takes the accepted message: it is spent whatever the result. */
    result<received> adopt(accepted_first first, std::uint64_t now) {
        return take(marline_contact_adopt, first.get(), now);
    }
    /** Whether the identity that the peer shows now is another one than before. */
    result<bool> observe(const v0::identity &shown) {
        auto answer = detail::number<std::uint32_t>(marline_contact_observe, get(), shown.data(), shown.size());
        if (!answer) return answer.status();
        return *answer == 1;
    }
    status acknowledge(const v0::identity &changed) {
        return {marline_contact_acknowledge(get(), changed.data(), changed.size(), nullptr)};
    }
    status reject() { return {marline_contact_reject(get(), nullptr)}; }
    /** The identity is the one whose safety number was compared. */
    status set_verified(const v0::identity &compared, bool verified) {
        return {marline_contact_set_verified(get(), compared.data(), compared.size(), verified ? 1u : 0u, nullptr)};
    }
    result<std::uint32_t> trust(const v0::identity &author) const {
        return detail::number<std::uint32_t>(marline_contact_trust, get(), author.data(), author.size());
    }
    result<v0::identity> identity() const {
        v0::identity id{};
        const auto code = marline_contact_identity(get(), id.data(), id.size(), nullptr);
        if (code != MARLINE_OK) return status{code};
        return id;
    }
    /** The identity that awaits the user's decision, if there is one. */
    result<std::optional<v0::identity>> changed_identity() const {
        v0::identity id{};
        std::uint32_t has = 0;
        const auto code = marline_contact_changed_identity(get(), &has, id.data(), id.size(), nullptr);
        if (code != MARLINE_OK) return status{code};
        return has == 1 ? std::optional<v0::identity>(id) : std::nullopt;
    }
    result<std::uint32_t> session_count() const {
        return detail::number<std::uint32_t>(marline_contact_session_count, get());
    }
    result<marline_facts> session_facts(std::uint32_t index) const {
        marline_facts out = MARLINE_FACTS_INIT;
        const auto code = marline_contact_session_facts(get(), index, &out, nullptr);
        if (code != MARLINE_OK) return status{code};
        return out;
    }
    status maintain(std::uint64_t now) { return {marline_contact_maintain(get(), now, nullptr)}; }
    /** Of the session that messages are sent on. */
    result<buffer> export_secret(bytes label, bytes context, std::size_t size) const {
        return detail::make<buffer, marline_buffer>(marline_contact_export_secret, get(), label.data(), label.size(),
                                                    context.data(), context.size(), size);
    }
    /** For an account whose identity signs elsewhere; `finish` gives the message. */
    result<signing> prepare_initiate(account &by, bytes bundle, bytes plaintext, std::uint64_t now, bytes ad = {},
                                     const options &with = {}) {
        const marline_options raw = with.raw();
        return detail::make<signing, marline_signing>(marline_contact_prepare_initiate, get(), by.get(), bundle.data(),
                                                      bundle.size(), plaintext.data(), plaintext.size(), ad.data(),
                                                      ad.size(), &raw, now);
    }
    result<signing> prepare_reset(account &by, bytes bundle, std::uint64_t now, bytes ad = {}, const options &with = {}) {
        const marline_options raw = with.raw();
        return detail::make<signing, marline_signing>(marline_contact_prepare_reset, get(), by.get(), bundle.data(),
                                                      bundle.size(), ad.data(), ad.size(), &raw, now);
    }
    result<buffer> finish(account &by, signing &what, bytes ed25519, bytes mldsa65) {
        return detail::make<buffer, marline_buffer>(marline_contact_finish, get(), by.get(), what.get(), ed25519.data(),
                                                    ed25519.size(), mldsa65.data(), mldsa65.size());
    }

private:
    template <class F, class... A> result<received> take(F function, A... arguments) {
        marline_opened *opened = nullptr;
        marline_events *happened = nullptr;
        std::uint32_t trust = 0;
        const auto code = function(get(), arguments..., &opened, &trust, &happened, nullptr);
        if (code != MARLINE_OK) return status{code};
        return received{v0::opened(opened), trust, v0::events(happened)};
    }
};

#ifdef MARLINE_HAVE_DEVICE
/** What opens a device. */
struct unlock {
    std::uint32_t kind;
    bytes secret;

    /** 32 uniform bytes that the application keeps safe. */
    static unlock key(bytes key) noexcept { return {MARLINE_UNLOCK_KEY, key}; }
    static unlock passphrase(bytes passphrase) noexcept { return {MARLINE_UNLOCK_PASSPHRASE, passphrase}; }
};

/** How a device is kept; with `anchor`, where its anchor is. */
struct device_options {
    marline_device_options raw = MARLINE_DEVICE_OPTIONS_INIT;
    bytes anchor = {};
};

/** Plaintexts that a device holds until they are acknowledged. */
class inbox : public detail::owner<marline_inbox, marline_inbox_free> {
public:
    using owner::owner;
    std::size_t size() const noexcept { return marline_inbox_count(get()); }
    result<marline_incoming> at(std::uint32_t index) const {
        marline_incoming out = MARLINE_INCOMING_INIT;
        const auto code = marline_inbox_get(get(), index, &out, nullptr);
        if (code != MARLINE_OK) return status{code};
        return out;
    }
    /** Empty also when there is none: see `marline_incoming::has_plaintext`. */
    v0::bytes plaintext(std::uint32_t index = 0) const noexcept {
        return {marline_inbox_plaintext(get(), index), marline_inbox_plaintext_len(get(), index)};
    }
    std::string_view contact(std::uint32_t index = 0) const noexcept {
        return v0::bytes(marline_inbox_contact(get(), index), marline_inbox_contact_len(get(), index)).text();
    }
    v0::bytes subject(std::uint32_t index = 0) const noexcept {
        return {marline_inbox_subject(get(), index), marline_inbox_subject_len(get(), index)};
    }
    result<v0::events> events(std::uint32_t index = 0) const {
        return detail::make<v0::events, marline_events>(marline_inbox_events, get(), index);
    }
};

/** A ciphertext to be sent: `id` is for device::mark_sent. */
struct outgoing {
    identity id;
    buffer message;
};

/** Ciphertexts that a device holds until they are marked as sent. */
class outbox : public detail::owner<marline_outbox, marline_outbox_free> {
public:
    using owner::owner;
    std::size_t size() const noexcept { return marline_outbox_count(get()); }
    /** The contact's name and what to send. */
    result<std::pair<buffer, outgoing>> at(std::uint32_t index) const {
        v0::identity id{};
        marline_buffer *name = nullptr, *message = nullptr;
        const auto code = marline_outbox_get(get(), index, id.data(), id.size(), &name, &message, nullptr);
        if (code != MARLINE_OK) return status{code};
        return std::pair<buffer, outgoing>(buffer(name), outgoing{id, buffer(message)});
    }
};

/** Contacts of a device, as they were when asked for. */
class contacts : public detail::owner<marline_contacts, marline_contacts_free> {
public:
    using owner::owner;
    std::size_t size() const noexcept { return marline_contacts_count(get()); }
    result<marline_contact_info> at(std::uint32_t index) const {
        marline_contact_info out = MARLINE_CONTACT_INFO_INIT;
        const auto code = marline_contacts_get(get(), index, &out, nullptr);
        if (code != MARLINE_OK) return status{code};
        return out;
    }
    std::string_view name(std::uint32_t index) const noexcept {
        return v0::bytes(marline_contacts_name(get(), index), marline_contacts_name_len(get(), index)).text();
    }
    result<marline_facts> session(std::uint32_t index, std::uint32_t session) const {
        marline_facts out = MARLINE_FACTS_INIT;
        const auto code = marline_contacts_session(get(), index, session, &out, nullptr);
        if (code != MARLINE_OK) return status{code};
        return out;
    }
};

/** What device::maintain did, and the publication for the directory if one was due. */
struct maintenance {
    marline_maintenance report;
    v0::publication publication;
};

/** A device that keeps its state in an encrypted file: what a call returns is on disk already. */
class device : public detail::owner<marline_device, marline_device_free> {
public:
    using owner::owner;

    static result<device> create(std::string_view path, const unlock &by, bytes subject, const device_options &with = {}) {
        const bytes file(path);
        return detail::make<device, marline_device>(marline_device_create, file.data(), file.size(), with.anchor.data(),
                                                    with.anchor.size(), by.kind, by.secret.data(), by.secret.size(),
                                                    subject.data(), subject.size(), &with.raw);
    }
    static result<device> open(std::string_view path, const unlock &by, const device_options &with = {}) {
        const bytes file(path);
        return detail::make<device, marline_device>(marline_device_open, file.data(), file.size(), with.anchor.data(),
                                                    with.anchor.size(), by.kind, by.secret.data(), by.secret.size(),
                                                    &with.raw);
    }
    static result<device> open_restored(std::string_view path, const unlock &by, std::uint64_t now,
                                        const device_options &with = {}) {
        const bytes file(path);
        return detail::make<device, marline_device>(marline_device_open_restored, file.data(), file.size(),
                                                    with.anchor.data(), with.anchor.size(), by.kind, by.secret.data(),
                                                    by.secret.size(), &with.raw, now);
    }
    result<v0::identity> identity() const {
        v0::identity id{};
        const auto code = marline_device_identity(get(), id.data(), id.size(), nullptr);
        if (code != MARLINE_OK) return v0::status{code};
        return id;
    }
    result<buffer> subject() { return detail::make<buffer, marline_buffer>(marline_device_subject, get()); }
    result<std::uint64_t> generation() { return detail::number<std::uint64_t>(marline_device_generation, get()); }
    v0::status flush() { return {marline_device_flush(get(), nullptr)}; }
    v0::status backup(std::string_view path) {
        const bytes file(path);
        return {marline_device_backup(get(), file.data(), file.size(), nullptr)};
    }
    result<v0::publication> publish(std::uint32_t count, std::uint64_t now) {
        return detail::make<v0::publication, marline_publication>(marline_device_publish, get(), count, now);
    }
    /** Empty when every publication is at the directory. */
    result<v0::publication> unpublished() {
        return detail::make<v0::publication, marline_publication>(marline_device_unpublished, get());
    }
    v0::status mark_published() { return {marline_device_mark_published(get(), nullptr)}; }
    result<maintenance> maintain(std::uint64_t now) {
        marline_maintenance report = MARLINE_MAINTENANCE_INIT;
        marline_publication *made = nullptr;
        const auto code = marline_device_maintain(get(), now, &report, &made, nullptr);
        if (code != MARLINE_OK) return v0::status{code};
        return maintenance{report, v0::publication(made)};
    }
    result<marline_device_facts> status(std::uint64_t now) {
        marline_device_facts out = MARLINE_DEVICE_FACTS_INIT;
        const auto code = marline_device_status(get(), now, &out, nullptr);
        if (code != MARLINE_OK) return v0::status{code};
        return out;
    }
    /** MARLINE_ADDED_... and the bundle's identity. */
    result<std::pair<std::uint32_t, v0::identity>> add_contact(bytes name, bytes bundle, std::uint64_t now) {
        v0::identity id{};
        std::uint32_t added = 0;
        const auto code = marline_device_add_contact(get(), name.data(), name.size(), bundle.data(), bundle.size(), now,
                                                     &added, id.data(), id.size(), nullptr);
        if (code != MARLINE_OK) return v0::status{code};
        return std::pair<std::uint32_t, v0::identity>(added, id);
    }
    result<v0::contacts> contacts() {
        return detail::make<v0::contacts, marline_contacts>(marline_device_contacts, get());
    }
    /** One contact, at index 0. */
    result<v0::contacts> contact(bytes name) {
        return detail::make<v0::contacts, marline_contacts>(marline_device_contact, get(), name.data(), name.size());
    }
    /** The identity is the one whose safety number was compared. */
    v0::status set_verified(bytes name, const v0::identity &compared, bool verified) {
        return {marline_device_set_verified(get(), name.data(), name.size(), compared.data(), compared.size(),
                                            verified ? 1u : 0u, nullptr)};
    }
    v0::status acknowledge_identity(bytes name, const v0::identity &changed) {
        return {marline_device_acknowledge_identity(get(), name.data(), name.size(), changed.data(), changed.size(),
                                                    nullptr)};
    }
    v0::status reject_identity(bytes name) {
        return {marline_device_reject_identity(get(), name.data(), name.size(), nullptr)};
    }
    result<outgoing> send(bytes to, bytes plaintext, std::uint64_t now, bytes ad = {}, const options &with = {}) {
        const marline_options raw = with.raw();
        v0::identity id{};
        marline_buffer *message = nullptr;
        const auto code = marline_device_send(get(), to.data(), to.size(), plaintext.data(), plaintext.size(), ad.data(),
                                              ad.size(), &raw, now, id.data(), id.size(), &message, nullptr);
        if (code != MARLINE_OK) return v0::status{code};
        return outgoing{id, buffer(message)};
    }
    result<outgoing> reset(bytes contact, std::uint64_t now) {
        v0::identity id{};
        marline_buffer *message = nullptr;
        const auto code = marline_device_reset(get(), contact.data(), contact.size(), now, id.data(), id.size(), &message,
                                               nullptr);
        if (code != MARLINE_OK) return v0::status{code};
        return outgoing{id, buffer(message)};
    }
    v0::status mark_sent(const v0::identity &id) {
        return {marline_device_mark_sent(get(), id.data(), id.size(), nullptr)};
    }
    /** One message, at index 0. `from` is the contact that the transport says, if it says so. */
    result<v0::inbox> receive(bytes message, std::uint64_t now, bytes from = {}, bytes ad = {}) {
        return detail::make<v0::inbox, marline_inbox>(marline_device_receive, get(), message.data(), message.size(),
                                                      from.data(), from.size(), ad.data(), ad.size(), now);
    }
    template <std::size_t N> v0::status acknowledge(const std::uint8_t (&id)[N]) {
        return {marline_device_acknowledge(get(), id, N, nullptr)};
    }
    result<v0::inbox> inbox() { return detail::make<v0::inbox, marline_inbox>(marline_device_inbox, get()); }
    result<v0::outbox> outbox() { return detail::make<v0::outbox, marline_outbox>(marline_device_outbox, get()); }
};
#endif

/** 60 digits for two people to compare. */
inline result<std::string> safety_number(const identity &one, const identity &other) {
    char digits[MARLINE_SAFETY_NUMBER_SIZE];
    const auto code = marline_safety_number(one.data(), one.size(), other.data(), other.size(), digits,
                                            sizeof digits, nullptr);
    if (code != MARLINE_OK) return status{code};
    return std::string(digits);
}

/** Whose bundle it claims to be; not verified. */
inline result<identity> unverified_identity(bytes bundle) {
    identity id{};
    const auto code = marline_bundle_unverified_identity(bundle.data(), bundle.size(), id.data(), id.size(), nullptr);
    if (code != MARLINE_OK) return status{code};
    return id;
}

/** Signatures, prekey and time of a bundle, for the identity `own`. */
inline status verify_bundle(bytes bundle, const identity &own, std::uint64_t now) {
    return {marline_bundle_verify(bundle.data(), bundle.size(), own.data(), own.size(), now, nullptr)};
}

} // namespace v0
} // namespace marline

#endif
