/* Structured log lines on standard error: `time level event key=value ...`. No secrets, no SDP, no
 * media. A line is written by one write(2), so that lines of several processes do not mix. */
#ifndef WEIR_COMMON_LOG_H
#define WEIR_COMMON_LOG_H

#include <stdbool.h>

#include "common/err.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* who stands in each line, for example "weir" or "worker-0" (copied). */
void log_init(enum log_level level, const char *who);
/* From now on; LOG_ERROR + 1 for nothing at all. */
void log_set_level(int level);
/* "trace" .. "error". ERR_RANGE for anything else. */
MUST_CHECK enum err log_level_parse(const char *text, enum log_level *out);
bool log_enabled(enum log_level level);

/* event: dotted lower case, for example "worker.started"; fmt: the key=value pairs, may be "". Put
 * values that a remote chose through log_quote. */
void log_write(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* s with quotes, spaces, control and non-ASCII bytes escaped; at most n - 1 bytes into buf. Returns
 * buf. */
const char *log_quote(const char *s, char *buf, unsigned n);

#define log_trace(event, ...) log_write(LOG_TRACE, event, __VA_ARGS__)
#define log_debug(event, ...) log_write(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)

#endif
