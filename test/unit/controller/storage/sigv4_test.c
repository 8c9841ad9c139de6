/* The vectors are those of AWS's own documentation of Signature Version 4 for S3. */
#include "controller/storage/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SCOPE "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"

static const struct sigv4 keys = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                                  .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                  .region = "us-east-1"};

static struct sigv4_request get(const char *path, const char *query)
{
    return (struct sigv4_request){.method = "GET",
                                  .host = "examplebucket.s3.amazonaws.com",
                                  .path = path,
                                  .query = query,
                                  .payload = EMPTY,
                                  .time = "20130524T000000Z"};
}

static void header_signatures_are_those_of_aws(void **state)
{
    char out[SIGV4_AUTH_MAX];
    struct sigv4_request r = get("/", "lifecycle=");
    (void)state;
    assert_int_equal(sigv4_authorization(&keys, &r, out), OK);
    assert_string_equal(
        out,
        "AWS4-HMAC-SHA256 Credential=" SCOPE ",SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    r = get("/", "max-keys=2&prefix=J");
    assert_int_equal(sigv4_authorization(&keys, &r, out), OK);
    assert_string_equal(strstr(out, "Signature="),
                        "Signature="
                        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void signed_addresses_are_those_of_aws(void **state)
{
    char out[1024];
    struct sigv4_request r = get("/test.txt", "");
    (void)state;
    assert_int_equal(sigv4_presign(&keys, &r, 86400, out, sizeof out), OK);
    assert_string_equal(
        out, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
             "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
             "&X-Amz-SignedHeaders=host&X-Amz-Signature="
             "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static void what_does_not_fit_is_refused(void **state)
{
    char out[1024];
    struct sigv4_request r = get("/test.txt", "");
    (void)state;
    assert_int_equal(sigv4_presign(&keys, &r, 0, out, sizeof out), ERR_RANGE);
    assert_int_equal(sigv4_presign(&keys, &r, SIGV4_EXPIRES_MAX + 1, out, sizeof out), ERR_RANGE);
    assert_int_equal(sigv4_presign(&keys, &r, 60, out, 100), ERR_TOO_LARGE);
    assert_int_equal(sigv4_presign(&keys, &r, 60, out, 240), ERR_TOO_LARGE);
    char path[9000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    r = get(path, "");
    assert_int_equal(sigv4_authorization(&keys, &r, out), ERR_TOO_LARGE);
}

static void names_are_encoded_once(void **state)
{
    char out[32];
    (void)state;
    assert_int_equal(sigv4_encode("a b/\xc3\xa9~+", true, out, sizeof out), OK);
    assert_string_equal(out, "a%20b/%C3%A9~%2B");
    assert_int_equal(sigv4_encode("a/b=", false, out, sizeof out), OK);
    assert_string_equal(out, "a%2Fb%3D");
    assert_int_equal(sigv4_encode("aaa ", false, out, 6), ERR_TOO_LARGE);
    assert_int_equal(sigv4_encode("aaa", false, out, 4), OK);
}

static void times_are_in_utc(void **state)
{
    char out[SIGV4_TIME_LEN];
    (void)state;
    sigv4_time(1369353600, out);
    assert_string_equal(out, "20130524T000000Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_signatures_are_those_of_aws),
        cmocka_unit_test(signed_addresses_are_those_of_aws),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(names_are_encoded_once),
        cmocka_unit_test(times_are_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
