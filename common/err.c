#include "common/err.h"

static const struct {
    const char *name;
    const char *text;
} errors[ERR_COUNT] = {
#define X(id, name, text) [id] = {name, text},
    ERR_MAP(X)
#undef X
};

const char *err_name(enum err e)
{
    return (unsigned)e < ERR_COUNT ? errors[e].name : "Unknown";
}

const char *err_text(enum err e)
{
    return (unsigned)e < ERR_COUNT ? errors[e].text : "unknown error";
}
