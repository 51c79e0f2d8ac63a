#if defined(_WIN32) && defined(MARLINE_SHARED)
#define MARLINE_API __declspec(dllimport)
#else
#define MARLINE_API
#endif

/* A status must be looked at. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define MARLINE_NODISCARD [[nodiscard]]
#elif defined(__GNUC__) || defined(__clang__)
#define MARLINE_NODISCARD __attribute__((warn_unused_result))
#else
#define MARLINE_NODISCARD
#endif

/* The library has marline_device_*; `ffi/install.sh --without-device` installs a header without this line. */
#define MARLINE_HAVE_DEVICE 1

/** Initial values of the structures that a caller makes. */
#ifdef __cplusplus
#define MARLINE_ERROR_INIT {sizeof(marline_error), 0, {0}}
#define MARLINE_OPTIONS_INIT {sizeof(marline_options), 0, 0, 0}
#define MARLINE_FACTS_INIT {sizeof(marline_facts), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}}
#define MARLINE_EVENT_INIT {sizeof(marline_event), 0, 0, {0}, {0}, {0}}
#define MARLINE_DEVICE_OPTIONS_INIT {sizeof(marline_device_options), 0, 0, 0, 0, 0, 0, 0}
#define MARLINE_DEVICE_FACTS_INIT {sizeof(marline_device_facts), 0, 0, 0, 0, 0, 0}
#define MARLINE_MAINTENANCE_INIT {sizeof(marline_maintenance), 0, 0, 0}
#define MARLINE_CONTACT_INFO_INIT {sizeof(marline_contact_info), 0, 0, 0, 0, {0}, {0}}
#define MARLINE_INCOMING_INIT {sizeof(marline_incoming), 0, 0, {0}, {0}}
#else
#define MARLINE_ERROR_INIT {(uint32_t)sizeof(marline_error), 0, {0}}
#define MARLINE_OPTIONS_INIT {(uint32_t)sizeof(marline_options), 0, 0, 0}
#define MARLINE_FACTS_INIT {(uint32_t)sizeof(marline_facts), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}}
#define MARLINE_EVENT_INIT {(uint32_t)sizeof(marline_event), 0, 0, {0}, {0}, {0}}
#define MARLINE_DEVICE_OPTIONS_INIT {(uint32_t)sizeof(marline_device_options), 0, 0, 0, 0, 0, 0, 0}
#define MARLINE_DEVICE_FACTS_INIT {(uint32_t)sizeof(marline_device_facts), 0, 0, 0, 0, 0, 0}
#define MARLINE_MAINTENANCE_INIT {(uint32_t)sizeof(marline_maintenance), 0, 0, 0}
#define MARLINE_CONTACT_INFO_INIT {(uint32_t)sizeof(marline_contact_info), 0, 0, 0, 0, {0}, {0}}
#define MARLINE_INCOMING_INIT {(uint32_t)sizeof(marline_incoming), 0, 0, {0}, {0}}
#endif
