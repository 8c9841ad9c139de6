/* What a file's name says about its contents. Pure; files_content_type is in net/files.h. */
#ifndef WEIR_CONTROLLER_NET_MIME_H
#define WEIR_CONTROLLER_NET_MIME_H

#include <stdbool.h>

/* Behind the last dot of the last segment; "" without one. */
const char *mime_extension(const char *path);
/* Worth compressing. */
bool mime_is_text(const char *path);

#endif
