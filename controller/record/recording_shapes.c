#include "controller/record/recording_shapes.h"

SHAPE_DEFINE(recording_answer, RECORDING_ANSWER_FIELDS)
SHAPE_DEFINE(recordings_answer, RECORDINGS_ANSWER_FIELDS)
SHAPE_DEFINE(recording_change, RECORDING_CHANGE_FIELDS)
