#include "controller/ice_servers.h"

static json_t *urls(const struct config_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

json_t *ice_servers(const struct settings *s)
{
    json_t *all = json_array();
    if (s->ice_stun_urls.n > 0)
        json_array_append_new(all, json_pack("{s:o}", "urls", urls(&s->ice_stun_urls)));
    if (s->ice_turn_urls.n > 0)
        json_array_append_new(all, json_pack("{s:o,s:s,s:s}", "urls", urls(&s->ice_turn_urls),
                                             "username", s->ice_turn_username, "credential",
                                             s->ice_turn_password));
    return all;
}
