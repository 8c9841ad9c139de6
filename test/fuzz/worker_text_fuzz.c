/* Small texts that a controller or an operator gives the worker: addresses, ranges, base64, SRTP
 * keys, scalability modes. What is accepted is in bounds, and prints as what reads the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/addr_range.h"
#include "common/base64.h"
#include "worker/media/scalability.h"
#include "worker/media/srtp_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void address(const char *text)
{
    struct addr a;
    struct addr again;
    char ip[64];
    if (addr_parse(&a, text, 7) != OK)
        return;
    enum err e = addr_parse(&again, addr_ip_text(&a, ip, sizeof ip), 7);
    assert(e == OK && addr_eq(&a, &again));
}

static void range(const char *text)
{
    struct addr_range r;
    struct addr a;
    enum err e = addr_parse(&a, "10.1.2.3", 7);
    assert(e == OK);
    if (addr_range_parse(&r, text) == OK)
        (void)addr_range_has(&r, &a);
}

static void base64(const char *text)
{
    uint8_t bytes[64];
    uint8_t again[64];
    char printed[BASE64_TEXT_MAX(sizeof bytes)];
    size_t n = base64_read(text, bytes, sizeof bytes);
    if (n == BASE64_BAD)
        return;
    assert(n <= sizeof bytes);
    base64_write(bytes, n, printed);
    size_t m = base64_read(printed, again, sizeof again);
    assert(m == n && memcmp(bytes, again, n) == 0);
}

static void key(const char *text, uint8_t suite)
{
    struct srtp_parameters in = {.crypto_suite = suite % SRTP_SUITE_COUNT, .key_base64 = text};
    struct srtp_parameters out;
    struct srtp_key k;
    struct field_error error;
    char printed[SRTP_BASE64_MAX];
    struct srtp_key again;
    if (srtp_key_read(&k, &in, &error) != OK) {
        assert(error.reason[0] != '\0');
        return;
    }
    srtp_key_write(&k, printed, &out);
    enum err e = srtp_key_read(&again, &out, &error);
    assert(e == OK && k.suite == again.suite && memcmp(k.key, again.key, k.key_len) == 0 &&
           memcmp(k.salt, again.salt, k.salt_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    assert(text);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    address(text);
    range(text);
    base64(text);
    key(text, data[0]);
    struct scalability s = scalability_parse(text);
    assert(s.spatial >= 1 && s.spatial <= 99 && s.temporal >= 1 && s.temporal <= 99);
    free(text);
    return 0;
}
