#include "test/bench/benches.h"
void key_frames_bench(FILE *json, char **args)
{
    (void)json;
    (void)args;
}
