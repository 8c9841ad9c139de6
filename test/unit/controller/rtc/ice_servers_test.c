#include "controller/rtc/ice_servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const stun[] = {"stun:stun.example.org:3478"};
static const char *const turn[] = {"turn:turn.example.org:3478?transport=udp",
                                   "turns:turn.example.org:5349?transport=tcp"};

static const char *text(json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static void without_servers_the_list_is_empty(void **state)
{
    (void)state;
    struct ice_servers_config c = {.turn_secret = "unused"};
    json_t *all = ice_servers(&c, "p", 0);
    assert_true(json_is_array(all));
    assert_int_equal(json_array_size(all), 0);
    json_decref(all);
}

static void stun_needs_no_credentials(void **state)
{
    (void)state;
    struct ice_servers_config c = {.stun_urls = stun, .n_stun_urls = 1};
    json_t *all = ice_servers(&c, "p", 0);
    assert_int_equal(json_array_size(all), 1);
    json_t *one = json_array_get(all, 0);
    assert_int_equal(json_object_size(one), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(one, "urls"), 0)),
                        stun[0]);
    json_decref(all);
}

static void fixed_credentials_are_handed_on(void **state)
{
    (void)state;
    struct ice_servers_config c = {
        .turn_urls = turn, .n_turn_urls = 2, .turn_username = "u", .turn_password = "p"};
    json_t *all = ice_servers(&c, "peer", 1);
    json_t *one = json_array_get(all, 0);
    assert_int_equal(json_array_size(json_object_get(one, "urls")), 2);
    assert_string_equal(text(one, "username"), "u");
    assert_string_equal(text(one, "credential"), "p");
    json_decref(all);
}

/* The expected value comes from: printf 1700003600:alice | openssl dgst -sha1 -hmac north -binary |
 * base64 */
static void a_secret_makes_credentials_that_expire(void **state)
{
    (void)state;
    struct ice_servers_config c = {.turn_urls = turn,
                                   .n_turn_urls = 1,
                                   .turn_username = "fixed",
                                   .turn_password = "ignored",
                                   .turn_secret = "north",
                                   .turn_ttl_s = 3600};
    json_t *all = ice_servers(&c, "alice", 1700000000);
    json_t *one = json_array_get(all, 0);
    assert_string_equal(text(one, "username"), "1700003600:alice");
    assert_string_equal(text(one, "credential"), "wjwSXO2ch1B6VaLTLMy2Avn5O9o=");
    json_t *other = ice_servers(&c, "bob", 1700000000);
    assert_string_not_equal(text(json_array_get(other, 0), "credential"), text(one, "credential"));
    json_decref(other);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_servers_the_list_is_empty),
        cmocka_unit_test(stun_needs_no_credentials),
        cmocka_unit_test(fixed_credentials_are_handed_on),
        cmocka_unit_test(a_secret_makes_credentials_that_expire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
