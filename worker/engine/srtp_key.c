#include "worker/engine/srtp_key.h"

#include <string.h>

struct suite_row {
    const char *name;
    uint8_t key_len;
    uint8_t salt_len;
};

static const struct suite_row SUITES[SRTP_SUITE_COUNT] = {
#define X(id, name, key, salt, tag, rtcp_tag) [id] = {name, key, salt},
    SRTP_SUITE_MAP(X)
#undef X
};

size_t srtp_suite_key_len(enum srtp_suite suite)
{
    return suite < SRTP_SUITE_COUNT ? SUITES[suite].key_len : 0;
}

size_t srtp_suite_salt_len(enum srtp_suite suite)
{
    return suite < SRTP_SUITE_COUNT ? SUITES[suite].salt_len : 0;
}

const char *srtp_suite_name(enum srtp_suite suite)
{
    return suite < SRTP_SUITE_COUNT ? SUITES[suite].name : "none";
}

enum srtp_suite srtp_suite_by_name(const char *name)
{
    for (enum srtp_suite s = 0; s < SRTP_SUITE_COUNT; s++)
        if (strcmp(SUITES[s].name, name) == 0)
            return s;
    return SRTP_SUITE_COUNT;
}
