#include "worker/media/subchannel_tag.h"

enum { FLAG_REQUIRED = 1, FLAG_IGNORED = 2 };

size_t subchannel_tag_write(const struct data_message *m, uint8_t out[SUBCHANNEL_TAG_MAX])
{
    struct wr w = wr_of(out, SUBCHANNEL_TAG_MAX);
    if (m->n_subchannels > SUBCHANNEL_TAG_SUBCHANNELS)
        return 0;
    wr_u8(&w,
          (uint8_t)((m->has_required ? FLAG_REQUIRED : 0) | (m->has_ignored ? FLAG_IGNORED : 0)));
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)m->n_subchannels);
    if (m->has_required)
        wr_u16(&w, m->required);
    if (m->has_ignored)
        wr_u16(&w, m->ignored);
    for (size_t i = 0; i < m->n_subchannels; i++)
        wr_u16(&w, m->subchannels[i]);
    return w.bad ? 0 : wr_len(&w);
}

enum err subchannel_tag_read(struct data_message *m,
                             uint16_t subchannels[SUBCHANNEL_TAG_SUBCHANNELS])
{
    struct rd r = rd_slice(m->bytes);
    uint8_t flags = rd_u8(&r);
    rd_skip(&r, 1);
    size_t n = rd_u16(&r);
    if (n > SUBCHANNEL_TAG_SUBCHANNELS)
        return ERR_MALFORMED;
    m->has_required = (flags & FLAG_REQUIRED) != 0;
    m->has_ignored = (flags & FLAG_IGNORED) != 0;
    if (m->has_required)
        m->required = rd_u16(&r);
    if (m->has_ignored)
        m->ignored = rd_u16(&r);
    for (size_t i = 0; i < n; i++)
        subchannels[i] = rd_u16(&r);
    m->subchannels = subchannels;
    m->n_subchannels = n;
    m->ppid &= ~SUBCHANNEL_TAG_PPID;
    m->bytes = rd_bytes(&r, rd_left(&r));
    return r.bad ? ERR_MALFORMED : OK;
}
