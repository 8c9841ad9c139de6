#include "controller/settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

enum { ENV_MAX = 8 };

struct loaded {
    struct arena arena;
    struct config_problems problems;
    struct settings s;
    enum err e;
};

static struct loaded *load(const char *path, char *const *env)
{
    struct loaded *l = calloc(1, sizeof *l);
    arena_init(&l->arena, 1 << 20);
    config_problems_init(&l->problems, &l->arena);
    l->e = settings_load(&l->s, path, env, &l->arena, &l->problems);
    return l;
}

static void unload(struct loaded *l)
{
    arena_fini(&l->arena);
    free(l);
}

static bool complains(const struct loaded *l, bool warning, const char *key)
{
    for (size_t i = 0; i < l->problems.n; i++) {
        const struct config_problem *p = &l->problems.items[i];
        if (p->warning == warning && p->key && strcmp(p->key, key) == 0)
            return true;
    }
    return false;
}

/* ffmpeg may not be there: not what these tests are about. */
#define QUIET "WEIR_HLS_FFMPEG=/bin/sh"

static void the_defaults_are_fine_and_as_documented(void **state)
{
    (void)state;
    char *env[] = {QUIET, NULL};
    struct loaded *l = load(NULL, env);
    assert_int_equal(l->e, OK);
    assert_int_equal(l->problems.n, 0);
    assert_string_equal(l->s.http_host, "127.0.0.1");
    assert_int_equal(l->s.http_port, 8080);
    assert_int_equal(l->s.rtc_port_base, 40000);
    assert_int_equal(l->s.rtc_workers, sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(l->s.hls_port_min, 45000);
    assert_int_equal(l->s.hls_segment, 1000000);
    assert_int_equal(l->s.log_level, LOG_INFO);
    assert_true(l->s.demo);
    assert_string_equal(l->s.data_dir, "var");
    assert_string_equal(l->s.db_url, "sqlite:var/weir.db");
    assert_string_equal(l->s.hls_dir, "var/hls");
    assert_non_null(strstr(l->s.rtc_worker_path, "/weir-worker"));
    unload(l);
}

static void the_fixed_variables_work(void **state)
{
    (void)state;
    char *env[] = {QUIET,
                   "WEIR_HTTP_PORT=9000",
                   "WEIR_RTC_PORT_BASE=41000",
                   "WEIR_DEMO=0",
                   "WEIR_DB_URL=postgresql:///weir",
                   NULL};
    struct loaded *l = load(NULL, env);
    assert_int_equal(l->e, OK);
    assert_int_equal(l->s.http_port, 9000);
    assert_int_equal(l->s.rtc_port_base, 41000);
    assert_false(l->s.demo);
    assert_string_equal(l->s.db_url, "postgresql:///weir");
    unload(l);
}

static void files_are_named_by_option_or_variable(void **state)
{
    (void)state;
    char path[] = "/tmp/weir-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "[http]\nport = 8123\n", 19), 19);
    close(fd);
    char variable[64];
    snprintf(variable, sizeof variable, "WEIR_CONFIG=%s", path);
    char *env[] = {QUIET, variable, NULL};
    struct loaded *l = load(NULL, env);
    assert_int_equal(l->e, OK);
    assert_int_equal(l->problems.n, 0);
    assert_int_equal(l->s.http_port, 8123);
    unload(l);
    l = load(path, NULL);
    assert_int_equal(l->s.http_port, 8123);
    unload(l);
    unlink(path);
    l = load(path, NULL);
    assert_int_equal(l->e, ERR_MALFORMED);
    assert_string_equal(l->problems.items[0].file, path);
    assert_int_equal(l->s.http_port, 8080);
    unload(l);
}

struct mistake {
    const char *key;
    bool warning;
    char *env[ENV_MAX];
};

static void settings_that_do_not_fit_are_told(void **state)
{
    (void)state;
    static struct mistake mistakes[] = {
        {"http.host", false, {"WEIR_HTTP_HOST=nowhere special"}},
        {"http.tls_key", false, {"WEIR_HTTP_TLS_CERT=/bin/sh"}},
        {"http.tls_cert", false, {"WEIR_HTTP_TLS_KEY=/bin/sh"}},
        {"http.tls_key", false, {"WEIR_HTTP_TLS_CERT=/bin/sh", "WEIR_HTTP_TLS_KEY=/no/key"}},
        {"http.public_url", false, {"WEIR_HTTP_PUBLIC_URL=live.example.org"}},
        {"http.trusted_proxies", false, {"WEIR_HTTP_TRUSTED_PROXIES=proxy"}},
        {"http.trusted_proxies", false, {"WEIR_HTTP_TRUSTED_PROXIES=::1, 10.0.0.0/33"}},
        {"http.allowed_origins", false, {"WEIR_HTTP_ALLOWED_ORIGINS=example.org"}},
        {"http.port", false, {"WEIR_HTTP_PORT=40000"}},
        {"rtc.port_base", false, {"WEIR_RTC_PORT_BASE=65530", "WEIR_RTC_WORKERS=10"}},
        {"hls.port_min", false, {"WEIR_RTC_PORT_BASE=44999", "WEIR_RTC_WORKERS=2"}},
        {"hls.port_max", false, {"WEIR_HLS_PORT_MAX=44000"}},
        {"hls.port_max", true, {"WEIR_HLS_PORT_MAX=45010"}},
        {"rtc.initial_bitrate", false, {"WEIR_RTC_MIN_BITRATE=3M"}},
        {"rtc.max_bitrate", false, {"WEIR_RTC_MAX_BITRATE=1900k"}},
        {"limits.requests_burst", false, {"WEIR_LIMITS_REQUESTS_BURST=10"}},
        {"rtc.listen_ips", false, {"WEIR_RTC_LISTEN_IPS=0.0.0.0"}},
        {"rtc.listen_ips", false, {"WEIR_RTC_LISTEN_IPS=host"}},
        {"rtc.listen_ips", false, {"WEIR_RTC_LISTEN_IPS=127.0.0.1=a b"}},
        {"rtc.listen_ips", true, {"WEIR_HTTP_HOST=0.0.0.0"}},
        {"http.tls_cert", true, {"WEIR_HTTP_HOST=::"}},
        {"ice.stun_urls", false, {"WEIR_ICE_STUN_URLS=example.org:3478"}},
        {"ice.turn_urls", false, {"WEIR_ICE_TURN_URLS=stun:a", "WEIR_ICE_TURN_SECRET=x"}},
        {"ice.turn_urls", false, {"WEIR_ICE_TURN_URLS=turn:a"}},
        {"ice.turn_password", false, {"WEIR_ICE_TURN_USERNAME=u"}},
        {"ice.turn_username", false, {"WEIR_ICE_TURN_PASSWORD=p"}},
        {"db.url", false, {"WEIR_DB_URL=mysql://u:hunter2@h/d"}},
        {"data.dir", false, {"WEIR_DATA_DIR=/bin/sh"}},
        {"hls.ffmpeg", false, {"WEIR_HLS_FFMPEG=no-such-ffmpeg"}},
        {"WEIR_HTP_PORT", true, {"WEIR_HTP_PORT=1"}},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct mistake *m = &mistakes[i];
        size_t n = 0;
        while (m->env[n])
            n++;
        if (strncmp(m->env[0], "WEIR_HLS_FFMPEG", 15) != 0)
            m->env[n] = QUIET;
        struct loaded *l = load(NULL, m->env);
        if (!complains(l, m->warning, m->key))
            fail_msg("%s: no complaint about %s", m->env[0], m->key);
        assert_int_equal(l->e, m->warning ? OK : ERR_MALFORMED);
        for (size_t k = 0; k < l->problems.n; k++)
            assert_null(strstr(l->problems.items[k].text, "hunter2"));
        unload(l);
    }
}

static void listen_addresses_carry_what_is_announced(void **state)
{
    (void)state;
    char *env[] = {QUIET, "WEIR_RTC_LISTEN_IPS=0.0.0.0=203.0.113.7, ::1, ::=live.example.org",
                   NULL};
    struct loaded *l = load(NULL, env);
    struct settings_listen ips[SETTINGS_LISTEN_MAX];
    size_t n = 0;
    char text[ADDR_TEXT_MAX];
    assert_int_equal(l->e, OK);
    assert_int_equal(settings_listen_ips(&l->s, &l->arena, ips, &n), OK);
    assert_int_equal(n, 3);
    assert_string_equal(addr_ip_text(&ips[0].ip, text, sizeof text), "0.0.0.0");
    assert_string_equal(ips[0].announced, "203.0.113.7");
    assert_string_equal(addr_ip_text(&ips[1].ip, text, sizeof text), "::1");
    assert_null(ips[1].announced);
    assert_string_equal(ips[2].announced, "live.example.org");
    unload(l);
}

static char *printed(void (*print)(const struct loaded *l, FILE *out), const struct loaded *l)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    print(l, out);
    fclose(out);
    return text;
}

static int last_exit;

static void print_check(const struct loaded *l, FILE *out)
{
    last_exit = settings_print_check(&l->problems, out);
}

static void print_all(const struct loaded *l, FILE *out)
{
    settings_print(&l->s, out);
}

static void print_example(const struct loaded *l, FILE *out)
{
    (void)l;
    settings_print_example(out);
}

static void print_docs(const struct loaded *l, FILE *out)
{
    (void)l;
    settings_print_docs(out);
}

static void the_check_says_whether_it_can_start(void **state)
{
    (void)state;
    char *fine[] = {QUIET, NULL};
    char *warned[] = {QUIET, "WEIR_NOPE=1", NULL};
    char *wrong[] = {QUIET, "WEIR_HTTP_PORT=x", "WEIR_NOPE=1", NULL};
    const struct {
        char **env;
        const char *text;
        int code;
    } cases[] = {
        {fine, "configuration: fine\n", 0},
        {warned, "warning: WEIR_NOPE: no such setting\nconfiguration: usable, 1 warning\n", 0},
        {wrong,
         "WEIR_HTTP_PORT: expected a port, 1 to 65535, not \"x\"\n"
         "warning: WEIR_NOPE: no such setting\nconfiguration: 1 error, cannot start\n",
         1},
    };
    for (size_t i = 0; i < 3; i++) {
        struct loaded *l = load(NULL, cases[i].env);
        char *text = printed(print_check, l);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(last_exit, cases[i].code);
        free(text);
        unload(l);
    }
}

static void printing_hides_secrets(void **state)
{
    (void)state;
    char *env[] = {QUIET, "WEIR_DB_URL=postgresql://u:hunter2@h/d", NULL};
    struct loaded *l = load(NULL, env);
    char *text = printed(print_all, l);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "db.url = ***\n"));
    assert_non_null(strstr(text, "http.port = 8080\n"));
    free(text);
    unload(l);
}

/* With every # in front of a key taken away, the example is a valid file that says the defaults. */
static void the_example_is_a_valid_file_of_all_defaults(void **state)
{
    (void)state;
    char *text = printed(print_example, NULL);
    size_t keys = 0;
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z') {
            line[0] = ' ';
            keys++;
        }
        if (*line == '\0')
            break;
    }
    assert_int_equal(keys, settings_table.n);
    struct loaded *l = calloc(1, sizeof *l);
    struct settings defaults;
    arena_init(&l->arena, 1 << 20);
    config_problems_init(&l->problems, &l->arena);
    assert_int_equal(
        config_load(&settings_table, "example", text, NULL, &l->s, &l->arena, &l->problems), OK);
    assert_int_equal(
        config_load(&settings_table, NULL, NULL, NULL, &defaults, &l->arena, &l->problems), OK);
    assert_int_equal(l->s.limits_body_bytes, defaults.limits_body_bytes);
    assert_string_equal(l->s.http_host, defaults.http_host);
    free(text);
    unload(l);
}

static void every_key_is_documented(void **state)
{
    (void)state;
    char *text = printed(print_docs, NULL);
    for (size_t i = 0; i < settings_table.n; i++) {
        char row[100];
        snprintf(row, sizeof row, "| `%s` |", settings_table.keys[i].key);
        if (!strstr(text, row))
            fail_msg("%s is not in the documentation", settings_table.keys[i].key);
    }
    free(text);
}

int main(void)
{
    char dir[] = "/tmp/weir-settings-XXXXXX"; /* without a weir.conf, or a var, of somebody's */
    if (!mkdtemp(dir) || chdir(dir) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_fine_and_as_documented),
        cmocka_unit_test(the_fixed_variables_work),
        cmocka_unit_test(files_are_named_by_option_or_variable),
        cmocka_unit_test(settings_that_do_not_fit_are_told),
        cmocka_unit_test(listen_addresses_carry_what_is_announced),
        cmocka_unit_test(the_check_says_whether_it_can_start),
        cmocka_unit_test(printing_hides_secrets),
        cmocka_unit_test(the_example_is_a_valid_file_of_all_defaults),
        cmocka_unit_test(every_key_is_documented),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(dir) != 0 ? 1 : failed;
}
