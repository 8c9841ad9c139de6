#include "controller/room/protoo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *text;
    enum err e;
    const char *reason; /* part of it */
    bool has_id;        /* so that it can be answered */
};

static void check(const struct row *row)
{
    struct protoo_request r;
    char reason[PROTOO_REASON_MAX] = "";
    enum err e = protoo_parse(&r, row->text, strlen(row->text), reason);
    if (e != row->e || !strstr(reason, row->reason) || r.has_id != row->has_id)
        fail_msg("%s: %d, \"%s\", id %d", row->text, (int)e, reason, r.has_id);
    protoo_request_fini(&r);
}

static void a_request_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"request\":true,\"id\":4294967295,\"method\":\"joinRoom\",\"data\":{\"roomId\":\"r\"}}";
    struct protoo_request r;
    char reason[PROTOO_REASON_MAX];
    assert_int_equal(protoo_parse(&r, text, strlen(text), reason), OK);
    assert_int_equal(r.id, UINT32_MAX);
    assert_string_equal(r.method, "joinRoom");
    assert_string_equal(json_string_value(json_object_get(r.data, "roomId")), "r");
    protoo_request_fini(&r);
}

static void data_may_be_left_out_or_null(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"request\":true,\"id\":0,\"method\":\"leaveRoom\"}",
        "{\"request\":true,\"id\":0,\"method\":\"leaveRoom\",\"data\":null}"};
    for (size_t i = 0; i < 2; i++) {
        struct protoo_request r;
        char reason[PROTOO_REASON_MAX];
        assert_int_equal(protoo_parse(&r, texts[i], strlen(texts[i]), reason), OK);
        assert_null(r.data);
        protoo_request_fini(&r);
    }
}

static void what_is_no_request_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", ERR_MALFORMED, "not JSON", false},
        {"{", ERR_MALFORMED, "not JSON", false},
        {"{\"id\":1,\"id\":1}", ERR_MALFORMED, "not JSON", false},
        {"{\"request\":true,\"id\":1,\"method\":\"x\"} more", ERR_MALFORMED, "not JSON", false},
        {"[]", ERR_TYPE, "object", false},
        {"7", ERR_MALFORMED, "", false},
        {"{}", ERR_TYPE, "request", false},
        {"{\"request\":1,\"id\":3,\"method\":\"x\"}", ERR_TYPE, "request", true},
        {"{\"request\":false,\"id\":3,\"method\":\"x\"}", ERR_TYPE, "request", true},
        {"{\"request\":true,\"method\":\"x\"}", ERR_TYPE, "id", false},
        {"{\"request\":true,\"id\":\"1\",\"method\":\"x\"}", ERR_TYPE, "id", false},
        {"{\"request\":true,\"id\":1.5,\"method\":\"x\"}", ERR_TYPE, "id", false},
        {"{\"request\":true,\"id\":-1,\"method\":\"x\"}", ERR_TYPE, "id", false},
        {"{\"request\":true,\"id\":4294967296,\"method\":\"x\"}", ERR_TYPE, "id", false},
        {"{\"request\":true,\"id\":1}", ERR_TYPE, "method", true},
        {"{\"request\":true,\"id\":1,\"method\":7}", ERR_TYPE, "method", true},
        {"{\"request\":true,\"id\":1,\"method\":\"x\",\"data\":[]}", ERR_TYPE, "data", true},
        {"{\"request\":true,\"id\":1,\"method\":\"x\",\"data\":\"y\"}", ERR_TYPE, "data", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

static void answers_and_notifications_are_told_apart(void **state)
{
    (void)state;
    check(&(struct row){"{\"response\":true,\"id\":1,\"ok\":true,\"data\":{}}", ERR_STATE, "",
                        false});
    check(&(struct row){"{\"notification\":true,\"method\":\"x\"}", ERR_STATE, "", false});
}

static void a_method_has_a_longest_name(void **state)
{
    (void)state;
    for (size_t n = PROTOO_METHOD_MAX; n <= PROTOO_METHOD_MAX + 1; n++) {
        char name[PROTOO_METHOD_MAX + 2] = {0};
        char text[160];
        memset(name, 'm', n);
        snprintf(text, sizeof text, "{\"request\":true,\"id\":1,\"method\":\"%s\"}", name);
        check(&(struct row){text, n > PROTOO_METHOD_MAX ? ERR_TYPE : OK,
                            n > PROTOO_METHOD_MAX ? "method" : "", true});
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 100 * 1000 };
    char *text = malloc(DEPTH + 1);
    memset(text, '[', DEPTH);
    text[DEPTH] = '\0';
    check(&(struct row){text, ERR_MALFORMED, "not JSON", false});
    free(text);
}

static void is_json(json_t *message, const char *expected)
{
    json_t *other = json_loads(expected, 0, NULL);
    assert_non_null(message);
    assert_true(json_equal(message, other));
    json_decref(message);
    json_decref(other);
}

static void messages_have_protoos_form(void **state)
{
    (void)state;
    is_json(protoo_response(UINT32_MAX, json_pack("{s:i}", "a", 1)),
            "{\"response\":true,\"id\":4294967295,\"ok\":true,\"data\":{\"a\":1}}");
    is_json(protoo_error(7, 404, "no such \"thing\""),
            "{\"response\":true,\"id\":7,\"ok\":false,\"errorCode\":404,"
            "\"errorReason\":\"no such \\\"thing\\\"\"}");
    is_json(protoo_notification("peerLeft", json_object()),
            "{\"notification\":true,\"method\":\"peerLeft\",\"data\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(data_may_be_left_out_or_null),
        cmocka_unit_test(what_is_no_request_is_refused_with_a_reason),
        cmocka_unit_test(answers_and_notifications_are_told_apart),
        cmocka_unit_test(a_method_has_a_longest_name),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(messages_have_protoos_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
