/* Base64 as messages carry bytes: RFC 4648 section 4. No IO. */
#ifndef WEIR_COMMON_BASE64_H
#define WEIR_COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters for n bytes, and a NUL. */
#define BASE64_TEXT_MAX(n) (((n) + 2) / 3 * 4 + 1)

#define BASE64_BAD SIZE_MAX

/* Returns the bytes written to out, or BASE64_BAD: not base64, or more than cap. Padding may be
 * left out. */
size_t base64_read(const char *text, uint8_t *out, size_t cap);
/* out: BASE64_TEXT_MAX(n) characters. */
void base64_write(const uint8_t *in, size_t n, char *out);

#endif
