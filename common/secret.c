#include "common/secret.h"

#include <stddef.h>
#include <string.h>

bool secret_fits(const char *expected, const char *given)
{
    if (!expected || !given || strlen(given) != strlen(expected))
        return false;
    unsigned char differs = 0;
    for (size_t i = 0; expected[i]; i++)
        differs |= (unsigned char)(expected[i] ^ given[i]);
    return differs == 0;
}
