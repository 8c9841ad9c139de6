/* Presentations over HTTP: playlists, initialization segments, segments and parts at
 * /live/<folder>/<name>, from memory as far as they are there, else from the store. Requests for
 * what is about to come wait for it (RFC 8216bis 6.2.5.2), at the cost of their own memory alone.
 */
#ifndef WEIR_CONTROLLER_HLS_ORIGIN_H
#define WEIR_CONTROLLER_HLS_ORIGIN_H

#include "common/err.h"
#include "common/metrics.h"
#include "controller/hls/presentation.h"
#include "controller/net/http.h"

struct uv_loop_s;
struct origin;

enum { ORIGIN_FOLDER_MAX = 80, ORIGIN_NAME_MAX = HLS_TRACK_NAME_MAX };

/* Mounts /live/ on the server; root: the folder whose folders are the stores'. */
MUST_CHECK enum err origin_open(struct origin **out, struct uv_loop_s *loop,
                                struct http_server *http, const char *root,
                                struct metrics *metrics);
/* What waits is answered; everything must be taken away before. */
void origin_close(struct origin *o);

/* p at /live/<folder>/<name>.m3u8, and its tracks beside it: their names must differ from those of
 * other presentations in the folder. ERR_EXISTS: the name is taken. */
MUST_CHECK enum err origin_add(struct origin *o, const char *folder, const char *name,
                               struct presentation *p);
/* Requests that wait for it get 404. Before p is closed. */
void origin_remove(struct origin *o, struct presentation *p);
/* Requests that wait now, for tests and metrics. */
size_t origin_waiting(const struct origin *o);

#endif
