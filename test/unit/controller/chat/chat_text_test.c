#include "controller/chat/chat_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char out[CHAT_TEXT_MAX + 1];

#define CLEAN(in, expected)                                                                        \
    do {                                                                                           \
        assert_int_equal(chat_text_clean(in, 500, out), OK);                                       \
        assert_string_equal(out, expected);                                                        \
    } while (0)

static void white_space_becomes_single_spaces_and_the_ends_go(void **state)
{
    (void)state;
    CLEAN("  hello \t\r\n  world\xC2\xA0!\n", "hello world !");
    CLEAN("a\xE2\x80\xA8"
          "b\xE3\x80\x80"
          "c",
          "a b c");
}

static void what_cannot_be_seen_goes(void **state)
{
    (void)state;
    CLEAN("a\x01\x1B[31mb\x7F", "a[31mb");
    CLEAN("\xE2\x80\xAE"
          "evil\xE2\x80\xAC",
          "evil"); /* right-to-left override */
    CLEAN("a\xE2\x80\x8B"
          "b\xEF\xBB\xBF",
          "ab");
}

static void emoji_of_several_parts_stay_whole(void **state)
{
    (void)state;
    /* A family, joined by U+200D; a red heart with U+FE0F; a flag. */
    static const char family[] = "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7";
    CLEAN(family, family);
    CLEAN("\xE2\x9D\xA4\xEF\xB8\x8F", "\xE2\x9D\xA4\xEF\xB8\x8F");
    CLEAN("\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7", "\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7");
}

static void towers_of_marks_are_cut(void **state)
{
    (void)state;
    CLEAN("a\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81\xCC\x81"
          "b",
          "a\xCC\x81\xCC\x81\xCC\x81\xCC\x81"
          "b");
}

static void nothing_visible_is_no_message(void **state)
{
    (void)state;
    assert_int_equal(chat_text_clean("", 500, out), ERR_RANGE);
    assert_int_equal(chat_text_clean(" \n\t ", 500, out), ERR_RANGE);
    assert_int_equal(chat_text_clean("\xE2\x80\x8D\xE2\x80\x8D", 500, out), ERR_RANGE);
    assert_int_equal(chat_text_clean("\xE3\x85\xA4", 500, out), ERR_RANGE); /* Hangul filler */
}

static void length_counts_characters_and_bytes(void **state)
{
    (void)state;
    char in[CHAT_TEXT_MAX * 2 + 1];
    assert_int_equal(chat_text_clean("\xC3\xA4\xC3\xB6\xC3\xBC", 3, out), OK);
    assert_int_equal(chat_text_clean("\xC3\xA4\xC3\xB6\xC3\xBC", 2, out), ERR_TOO_LARGE);
    memset(in, 'x', sizeof in);
    in[CHAT_TEXT_MAX] = '\0';
    assert_int_equal(chat_text_clean(in, SIZE_MAX, out), OK);
    in[CHAT_TEXT_MAX] = 'x';
    in[CHAT_TEXT_MAX + 1] = '\0';
    assert_int_equal(chat_text_clean(in, SIZE_MAX, out), ERR_TOO_LARGE);
}

static void what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",         "\xC0\xAF",         "\xC3",
                                      "a\xE2\x82",    "\xED\xA0\x80",     "\xF4\x90\x80\x80",
                                      "\xF8\x88\x80", "\xE0\x80\x80 abc", "\xFF"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(chat_text_clean(bad[i], 500, out), ERR_MALFORMED);
}

static void links_are_found(void **state)
{
    (void)state;
    static const char *const yes[] = {"see https://a.example/x",
                                      "HTTP://A",
                                      "www.somewhere.anything",
                                      "buy at cheap-stuff.com!",
                                      "bit.ly/abc",
                                      "a.b.co.uk",
                                      "1.2.3.4/evil",
                                      "discord.gg/abc",
                                      "(twitch.tv)",
                                      "ftp://x"};
    static const char *const no[] = {"hello. world",     "what...ever",   "3.14 is pi",
                                     "see you.tomorrow", "a :// b",       "e.g. this",
                                     "v1.2.3",           "nice.And then", "..."};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!chat_text_has_link(yes[i]))
            fail_msg("no link: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (chat_text_has_link(no[i]))
            fail_msg("a link: %s", no[i]);
}

static void words_are_found_as_words_in_any_case(void **state)
{
    (void)state;
    const char *words[] = {"spam", "B\xC3\x96SE", "two words", "\xE6\x82\xAA"};
    assert_true(chat_text_has_word("no SpAm here", words, 4));
    assert_true(chat_text_has_word("spam", words, 4));
    assert_true(chat_text_has_word("(spam)!", words, 4));
    assert_true(chat_text_has_word("wie b\xC3\xB6se", words, 4));
    assert_true(chat_text_has_word("has Two Words in it", words, 4));
    assert_true(chat_text_has_word("\xE5\xA4\xA7\xE6\x82\xAA\xE4\xBA\xBA", words, 4));
    assert_false(chat_text_has_word("antispam spammer", words, 4));
    assert_false(chat_text_has_word("spa m", words, 4));
    assert_false(chat_text_has_word("anything", words, 0));
}

static void mentions_are_found(void **state)
{
    (void)state;
    assert_true(chat_text_mentions("@anna hi", "Anna"));
    assert_true(chat_text_mentions("hi (@Anna Maria)", "anna maria"));
    assert_true(chat_text_mentions("hi @ANNA!", "anna"));
    assert_true(chat_text_mentions("@x @anna", "anna"));
    assert_false(chat_text_mentions("anna", "anna"));
    assert_false(chat_text_mentions("@annabel", "anna"));
    assert_false(chat_text_mentions("mail@anna", "anna"));
    assert_false(chat_text_mentions("@", "anna"));
}

static void a_head_is_whole_characters(void **state)
{
    (void)state;
    char head[6];
    chat_text_head("\xC3\xA4\xC3\xB6\xC3\xBC", 2, head, sizeof head);
    assert_string_equal(head, "\xC3\xA4\xC3\xB6");
    chat_text_head("\xC3\xA4\xC3\xB6\xC3\xBC", 9, head, sizeof head);
    assert_string_equal(head, "\xC3\xA4\xC3\xB6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_becomes_single_spaces_and_the_ends_go),
        cmocka_unit_test(what_cannot_be_seen_goes),
        cmocka_unit_test(emoji_of_several_parts_stay_whole),
        cmocka_unit_test(towers_of_marks_are_cut),
        cmocka_unit_test(nothing_visible_is_no_message),
        cmocka_unit_test(length_counts_characters_and_bytes),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(links_are_found),
        cmocka_unit_test(words_are_found_as_words_in_any_case),
        cmocka_unit_test(mentions_are_found),
        cmocka_unit_test(a_head_is_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
