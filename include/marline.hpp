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

/** A prepared change: store `state`, then `session::commit_…`. */
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
    status set_verified(bool verified) { return {marline_contact_set_verified(get(), verified ? 1u : 0u, nullptr)}; }
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

} // namespace v0
} // namespace marline

#endif
