/* The one list of error codes. Leaf; no IO. */
#ifndef WEIR_COMMON_ERR_H
#define WEIR_COMMON_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

/* id, name as it travels in messages, text for people */
#define ERR_MAP(X)                                                                                 \
    X(OK, "Ok", "success")                                                                         \
    X(ERR_NOMEM, "OutOfMemory", "out of memory")                                                   \
    X(ERR_TRUNCATED, "Truncated", "the data ends too early")                                       \
    X(ERR_MALFORMED, "Malformed", "the data does not have the required form")                      \
    X(ERR_UNSUPPORTED, "UnsupportedError", "not supported")                                        \
    X(ERR_TOO_LARGE, "TooLarge", "larger than the limit")                                          \
    X(ERR_TYPE, "TypeError", "a value has the wrong type or is missing")                           \
    X(ERR_RANGE, "RangeError", "a value is out of range")                                          \
    X(ERR_NOT_FOUND, "NotFound", "no such thing")                                                  \
    X(ERR_EXISTS, "AlreadyExists", "it exists already")                                            \
    X(ERR_STATE, "InvalidStateError", "not possible in this state")                                \
    X(ERR_AUTH, "AuthenticationFailed", "authentication failed")                                   \
    X(ERR_DENIED, "Forbidden", "not allowed")                                                      \
    X(ERR_REPLAY, "Replayed", "seen before")                                                       \
    X(ERR_FULL, "Full", "a bound is reached")                                                      \
    X(ERR_AGAIN, "Again", "not now, try again")                                                    \
    X(ERR_BUSY, "Busy", "in use")                                                                  \
    X(ERR_UNAVAILABLE, "Unavailable", "a service that this needs is away")                         \
    X(ERR_IO, "IoError", "input or output failed")                                                 \
    X(ERR_CRYPTO, "CryptoError", "a cryptographic operation failed")                               \
    X(ERR_CLOSED, "Closed", "closed")                                                              \
    X(ERR_TIMEOUT, "Timeout", "took too long")

enum err {
#define X(id, name, text) id,
    ERR_MAP(X)
#undef X
        ERR_COUNT
};

/* Name as it travels in the "error" field of messages, for example "TypeError". Never NULL. */
const char *err_name(enum err e);
/* A short English text. Never NULL. */
const char *err_text(enum err e);

#endif
