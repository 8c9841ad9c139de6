/* Shapes as JSON Schema (2020-12), as OpenAPI 3.1 has them. */
#include <string.h>

#include "controller/api/api_state.h"

static json_t *object_schema(const struct shape *shape, json_t *components, bool answers);

static json_t *reference(const struct shape *shape, json_t *components, bool answers)
{
    char path[128];
    if (!json_object_get(components, shape->name)) {
        /* First a place holder, since shapes may refer to each other. */
        json_object_set_new(components, shape->name, json_true());
        json_object_set_new(components, shape->name, object_schema(shape, components, answers));
    }
    snprintf(path, sizeof path, "#/components/schemas/%s", shape->name);
    return json_pack("{s:s}", "$ref", path);
}

static json_t *integer(const struct field *f)
{
    return json_pack("{s:s,s:I,s:I}", "type", "integer", "minimum", (json_int_t)f->min, "maximum",
                     (json_int_t)f->max);
}

static json_t *text(const struct field *f, bool answers)
{
    /* Limits are in bytes, the schema's in characters, of which there are no more. */
    if (answers)
        return f->presence == FIELD_REQ ? json_pack("{s:[s,s]}", "type", "string", "null")
                                        : json_pack("{s:s}", "type", "string");
    return json_pack("{s:s,s:I,s:I}", "type", "string", "minLength", (json_int_t)(f->min > 0),
                     "maxLength", (json_int_t)f->max);
}

static json_t *names(const void *ref)
{
    json_t *list = json_array();
    for (const char *const *name = ref; *name; name++)
        json_array_append_new(list, json_string(*name));
    return json_pack("{s:s,s:o}", "type", "string", "enum", list);
}

static json_t *list_of(const struct field *f, json_t *items)
{
    return json_pack("{s:s,s:o,s:I,s:I}", "type", "array", "items", items, "minItems",
                     (json_int_t)f->min, "maxItems", (json_int_t)f->max);
}

static json_t *field_schema(const struct field *f, json_t *components, bool answers)
{
    switch (f->kind) {
    case FIELD_flag:
        return json_pack("{s:s}", "type", "boolean");
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
        return integer(f);
    case FIELD_f64:
        return json_pack("{s:s}", "type", "number");
    case FIELD_str:
        return text(f, answers);
    case FIELD_choice:
        return names(f->ref);
    case FIELD_choices:
        return list_of(f, names(f->ref));
    case FIELD_obj:
        return reference(f->ref, components, answers);
    case FIELD_objs:
        return list_of(f, reference(f->ref, components, answers));
    case FIELD_strs:
        return list_of(f, json_pack("{s:s}", "type", "string"));
    case FIELD_u8s:
    case FIELD_u16s:
    case FIELD_u32s:
        return list_of(f, json_pack("{s:s,s:i}", "type", "integer", "minimum", 0));
    case FIELD_dict:
        return json_pack("{s:s}", "type", "object");
    case FIELD_json:
        break;
    }
    return json_object();
}

static json_t *object_schema(const struct shape *shape, json_t *components, bool answers)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        json_t *schema = field_schema(f, components, answers);
        if (f->doc && f->doc[0] && !json_object_get(schema, "$ref"))
            json_object_set_new(schema, "description", json_string(f->doc));
        json_object_set_new(properties, f->name, schema);
        if (f->presence == FIELD_REQ)
            json_array_append_new(required, json_string(f->name));
    }
    json_t *o = json_pack("{s:s,s:o}", "type", "object", "properties", properties);
    if (json_array_size(required) > 0)
        json_object_set(o, "required", required);
    json_decref(required);
    return o;
}

json_t *api_schema(const struct shape *shape, json_t *components, bool answers)
{
    return reference(shape, components, answers);
}
