#include "worker/engine/seal_cipher.h"
#include "worker/engine/ossl.h"

#include <string.h>

static const struct seal_impl *selected = &seal_impl_openssl;

enum err seal_select_impl(const char *name)
{
    if (name && strcmp(name, seal_impl_openssl.name) == 0) {
        selected = &seal_impl_openssl;
        return OK;
    }
    const struct seal_impl *ipsec = seal_ipsec_open();
    if (!name) {
        selected = ipsec ? ipsec : &seal_impl_openssl;
        return OK;
    }
    if (!ipsec || strcmp(name, ipsec->name) != 0)
        return ERR_UNSUPPORTED;
    selected = ipsec;
    return OK;
}

const struct seal_impl *seal_selected_impl(void)
{
    return selected;
}

struct tag_row {
    uint8_t rtp;
    uint8_t rtcp;
    bool gcm;
};

static const struct tag_row TAGS[SRTP_SUITE_COUNT] = {
#define X(id, name, key, salt, tag, rtcp_tag) [id] = {tag, rtcp_tag, (salt) == SEAL_GCM_IV},
    SRTP_SUITE_MAP(X)
#undef X
};

enum err seal_cipher_init(struct seal_cipher *c, const struct srtp_key *master, bool rtcp,
                          bool encrypt)
{
    memset(c, 0, sizeof *c);
    const struct tag_row *row = &TAGS[master->suite];
    c->gcm = row->gcm;
    c->tag_len = rtcp ? row->rtcp : row->rtp;

    uint8_t key[SRTP_KEY_MAX];
    uint8_t auth[SEAL_AUTH_KEY_LEN];
    enum err e = seal_derive(master, rtcp ? SEAL_LABEL_RTCP_ENCRYPTION : SEAL_LABEL_RTP_ENCRYPTION,
                             key, master->key_len);
    if (e == OK)
        e = seal_derive(master, rtcp ? SEAL_LABEL_RTCP_AUTH : SEAL_LABEL_RTP_AUTH, auth,
                        sizeof auth);
    if (e == OK)
        e = seal_derive(master, rtcp ? SEAL_LABEL_RTCP_SALT : SEAL_LABEL_RTP_SALT, c->salt,
                        master->salt_len);
    if (e == OK) {
        c->impl = selected;
        e = c->impl->init(c, key, master->key_len, auth, encrypt);
    }
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(auth, sizeof auth);
    if (e != OK)
        seal_cipher_fini(c);
    return e;
}

void seal_cipher_fini(struct seal_cipher *c)
{
    if (c->impl)
        c->impl->fini(c);
    OPENSSL_cleanse(c, sizeof *c);
}
