/* gen_config_docs docs|example: prints docs/configuration.md or deploy/weir.conf.example. */
#include <stdio.h>
#include <string.h>

#include "controller/settings/settings.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "docs") == 0) {
        settings_print_docs(stdout);
    } else if (argc == 2 && strcmp(argv[1], "example") == 0) {
        settings_print_example(stdout);
    } else {
        fprintf(stderr, "usage: gen_config_docs docs|example\n");
        return 2;
    }
    return ferror(stdout) != 0;
}
