/* redis://[[user]:password@]host[:port][/database]. Pure; no IO. */
#ifndef WEIR_CONTROLLER_DATA_REDIS_URL_H
#define WEIR_CONTROLLER_DATA_REDIS_URL_H

#include <stdbool.h>

#include "common/err.h"

struct redis_url {
    char host[256];
    char port[6];
    char user[128];     /* "": none */
    char password[256]; /* "": none */
    char database[8];   /* "0" .. */
};

/* ERR_MALFORMED. %XX in user and password are decoded. */
MUST_CHECK enum err redis_url_parse(const char *text, struct redis_url *out);

#endif
