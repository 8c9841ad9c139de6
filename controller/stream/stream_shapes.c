#include "controller/stream/stream_shapes.h"

SHAPE_DEFINE(livestream, LIVESTREAM_FIELDS)
SHAPE_DEFINE(livestreams, LIVESTREAMS_FIELDS)
SHAPE_DEFINE(live_producer, LIVE_PRODUCER_FIELDS)
