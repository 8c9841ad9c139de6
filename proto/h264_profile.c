#include "proto/h264.h"

enum { PROFILE_BASELINE = 0x42, PROFILE_MAIN = 0x4d, PROFILE_EXTENDED = 0x58, PROFILE_HIGH = 0x64 };
enum { PROFILE_HIGH_444 = 0xf4, CONSTRAINT_SET3 = 0x10 };

/* RFC 6184 8.1, table 5: profile_idc and the profile-iop bits that matter, first match. */
static const struct {
    uint8_t idc;
    uint8_t mask;
    uint8_t iop;
    enum h264_profile profile;
} profiles[] = {
    {PROFILE_BASELINE, 0x4f, 0x40, H264_CONSTRAINED_BASELINE},
    {PROFILE_MAIN, 0x8f, 0x80, H264_CONSTRAINED_BASELINE},
    {PROFILE_EXTENDED, 0xcf, 0xc0, H264_CONSTRAINED_BASELINE},
    {PROFILE_BASELINE, 0x4f, 0x00, H264_BASELINE},
    {PROFILE_EXTENDED, 0xcf, 0x80, H264_BASELINE},
    {PROFILE_MAIN, 0xaf, 0x00, H264_MAIN},
    {PROFILE_HIGH, 0xff, 0x00, H264_HIGH},
    {PROFILE_HIGH, 0xff, 0x0c, H264_CONSTRAINED_HIGH},
    {PROFILE_HIGH_444, 0xff, 0x00, H264_PREDICTIVE_HIGH_444},
};

/* ITU-T H.264 table A-1 */
static bool known_level(uint8_t level)
{
    static const uint8_t levels[] = {10, 11, 12, 13, 20, 21, 22, 30,
                                     31, 32, 40, 41, 42, 50, 51, 52};
    return memchr(levels, level, sizeof levels) != NULL;
}

static bool read_hex(struct slice text, uint8_t out[3])
{
    if (text.n != 6)
        return false;
    memset(out, 0, 3);
    for (size_t i = 0; i < 6; i++) {
        static const char digits[] = "0123456789abcdef";
        uint8_t c = text.p[i] >= 'A' && text.p[i] <= 'F' ? text.p[i] | 0x20 : text.p[i];
        const char *d = c == 0 ? NULL : strchr(digits, c);
        if (d == NULL)
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (d - digits));
    }
    return true;
}

enum err h264_profile_level_parse(struct h264_profile_level *out, struct slice text)
{
    uint8_t b[3];
    if (!read_hex(text, b))
        return ERR_MALFORMED;
    /* H.264 A.3.4: level 1b is level_idc 11 with constraint_set3_flag in the lower profiles. */
    bool lower = b[0] == PROFILE_BASELINE || b[0] == PROFILE_MAIN || b[0] == PROFILE_EXTENDED;
    bool is_1b = b[2] == 11 && lower && (b[1] & CONSTRAINT_SET3) != 0;
    if (!known_level(b[2]))
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (b[0] != profiles[i].idc || (b[1] & profiles[i].mask) != profiles[i].iop)
            continue;
        out->profile = profiles[i].profile;
        out->level = is_1b ? H264_LEVEL_1B : b[2];
        return OK;
    }
    return ERR_UNSUPPORTED;
}

enum err h264_profile_level_print(struct h264_profile_level pl, char out[H264_PROFILE_LEVEL_TEXT])
{
    static const struct {
        uint8_t idc;
        uint8_t iop;
        bool has_1b;
    } wire[] = {
        [H264_CONSTRAINED_BASELINE] = {PROFILE_BASELINE, 0xe0, true},
        [H264_BASELINE] = {PROFILE_BASELINE, 0x00, true},
        [H264_MAIN] = {PROFILE_MAIN, 0x00, true},
        [H264_CONSTRAINED_HIGH] = {PROFILE_HIGH, 0x0c, false},
        [H264_HIGH] = {PROFILE_HIGH, 0x00, false},
        [H264_PREDICTIVE_HIGH_444] = {PROFILE_HIGH_444, 0x00, false},
    };
    if ((unsigned)pl.profile >= sizeof wire / sizeof wire[0])
        return ERR_UNSUPPORTED;
    uint8_t b[3] = {wire[pl.profile].idc, wire[pl.profile].iop, pl.level};
    if (pl.level == H264_LEVEL_1B) {
        if (!wire[pl.profile].has_1b)
            return ERR_UNSUPPORTED;
        b[1] |= CONSTRAINT_SET3;
        b[2] = 11;
    } else if (!known_level(pl.level)) {
        return ERR_UNSUPPORTED;
    }
    for (size_t i = 0; i < 6; i++)
        out[i] = "0123456789abcdef"[i % 2 == 0 ? b[i / 2] >> 4 : b[i / 2] & 15];
    out[6] = '\0';
    return OK;
}

struct h264_profile_level h264_profile_level_default(void)
{
    return (struct h264_profile_level){.profile = H264_CONSTRAINED_BASELINE, .level = 31};
}

int h264_level_compare(uint8_t a, uint8_t b)
{
    /* doubled, so that 1b has a place between 1 (10) and 1.1 (11) */
    int x = a == H264_LEVEL_1B ? 21 : 2 * a;
    int y = b == H264_LEVEL_1B ? 21 : 2 * b;
    return x - y;
}

static enum err parse_or_default(struct h264_profile_level *out, struct slice text)
{
    *out = h264_profile_level_default();
    return text.n == 0 ? OK : h264_profile_level_parse(out, text);
}

bool h264_same_profile(struct slice a, struct slice b)
{
    struct h264_profile_level x;
    struct h264_profile_level y;
    return parse_or_default(&x, a) == OK && parse_or_default(&y, b) == OK && x.profile == y.profile;
}

enum err h264_answer_profile_level(struct slice local, bool local_asymmetry, struct slice remote,
                                   bool remote_asymmetry, char out[H264_PROFILE_LEVEL_TEXT])
{
    struct h264_profile_level ours;
    struct h264_profile_level theirs;
    enum err e = parse_or_default(&ours, local);
    if (e == OK)
        e = parse_or_default(&theirs, remote);
    if (e != OK)
        return e;
    if (ours.profile != theirs.profile)
        return ERR_UNSUPPORTED;
    /* RFC 6184 8.2.2: without level asymmetry both directions keep to the lower level. */
    bool lower = h264_level_compare(theirs.level, ours.level) < 0;
    if (lower && !(local_asymmetry && remote_asymmetry))
        ours.level = theirs.level;
    return h264_profile_level_print(ours, out);
}
