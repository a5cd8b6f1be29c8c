/* base/json.c - strict JSON on top of cJSON. */
#include "funneld/base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names are unescaped by now, so "a" and "\u0061" are found to be the same. */
static bool names_differ(const cJSON *object, struct why *why)
{
    enum { FEW = 64 };
    const char *few[FEW], **names = few;
    size_t n = json_count(object), i = 0;
    bool differ = true;

    if (n > FEW)
        names = mem_array(n, sizeof *names);
    for (const cJSON *c = object->child; c; c = c->next)
        names[i++] = c->string;
    qsort(names, n, sizeof *names, by_name);
    for (i = 1; i < n && differ; i++)
        differ = strcmp(names[i - 1], names[i]) != 0;
    if (!differ)
        (void)why_fail(RC_INVALID, why, "the key \"%.100s\" twice in one object", names[i - 1]);
    if (names != few)
        free(names);
    return differ;
}

/* Depth is at most 64: the scan saw to it. */
static bool tree_valid(const cJSON *node, struct why *why)
{
    if (cJSON_IsNumber(node) && !isfinite(node->valuedouble)) {
        (void)why_fail(RC_INVALID, why, "a number that is out of range");
        return false;
    }
    if (cJSON_IsObject(node) && !names_differ(node, why))
        return false;
    for (const cJSON *c = node->child; c; c = c->next)
        if (!tree_valid(c, why))
            return false;
    return true;
}

enum rc json_parse(struct str text, struct json_doc *ret, struct why *why)
{
    struct json_scan scan;
    struct json_doc doc = {0};

    if (json_scan(text, &scan, why))
        return RC_INVALID;
    doc.elements = scan.elements;
    doc.n_elements = scan.n_elements;
    doc.root = cJSON_ParseWithLengthOpts(scan.copy, scan.len + 1, NULL, 1);
    free(scan.copy);
    if (!doc.root) {
        json_doc_free(&doc);
        return why_fail(RC_INVALID, why, "JSON that cannot be read");
    }
    if (!tree_valid(doc.root, why)) {
        json_doc_free(&doc);
        return RC_INVALID;
    }
    *ret = doc;
    return RC_OK;
}

void json_doc_free(struct json_doc *doc)
{
    cJSON_Delete(doc->root);
    free(doc->elements);
    *doc = (struct json_doc){0};
}

enum json_type json_type(const json *node)
{
    if (!node)
        return JSON_NULL;
    switch (node->type & 0xff) {
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

const json *json_get(const json *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const json *json_path(const json *node, const char *path)
{
    struct str rest = str_of(path), part;

    while (node && str_split(&rest, '.', &part)) {
        char name[128];
        int64_t index;

        if (part.len >= sizeof name)
            return NULL;
        memcpy(name, part.at, part.len);
        name[part.len] = '\0';
        if (!cJSON_IsArray(node))
            node = json_get(node, name);
        else if (str_int64(part, &index) && index >= 0 && index < INT32_MAX)
            node = cJSON_GetArrayItem(node, (int)index);
        else
            node = NULL;
    }
    return node;
}

const json *json_first(const json *node)
{
    return cJSON_IsArray(node) || cJSON_IsObject(node) ? node->child : NULL;
}

const json *json_next(const json *node)
{
    return node ? node->next : NULL;
}

struct str json_name(const json *member)
{
    return str_of(member->string);
}

size_t json_count(const json *node)
{
    size_t n = 0;

    for (const json *c = json_first(node); c; c = c->next)
        n++;
    return n;
}

struct str json_string(const json *node)
{
    return cJSON_IsString(node) ? str_of(node->valuestring) : STR_NULL;
}

bool json_int64(const json *node, int64_t *ret)
{
    if (cJSON_IsString(node))
        return str_int64(str_of(node->valuestring), ret);
    /* Up to 15 digits a double is exact; longer ones came as text. */
    if (!cJSON_IsNumber(node) || floor(node->valuedouble) != node->valuedouble ||
        fabs(node->valuedouble) > 999999999999999.0)
        return false;
    *ret = (int64_t)node->valuedouble;
    return true;
}

bool json_number(const json *node, double *ret)
{
    if (!cJSON_IsNumber(node))
        return false;
    *ret = node->valuedouble;
    return true;
}

bool json_real(const json *node, double *ret)
{
    if (!cJSON_IsString(node))
        return json_number(node, ret);
    const char *text = node->valuestring;
    char *end = NULL;
    double n = 0;
    if (*text && strspn(text, "0123456789+-.eE") == strlen(text))
        n = strtod(text, &end); /* no locale is ever set */
    if (!end || *end || !isfinite(n))
        return false;
    *ret = n;
    return true;
}

bool json_true(const json *node)
{
    return cJSON_IsTrue(node);
}

struct str json_scalar(const json *node, struct arena *a)
{
    char digits[INT64_TEXT];

    switch (json_type(node)) {
    case JSON_STRING:
        return arena_str(a, str_of(node->valuestring));
    case JSON_BOOL:
        return json_true(node) ? STR("true") : STR("false");
    case JSON_NUMBER:
        if (floor(node->valuedouble) == node->valuedouble && fabs(node->valuedouble) < 1e15)
            return arena_str(a, str_of_int64((int64_t)node->valuedouble, digits)); /* -0 is 0 */
        return arena_printf(a, "%.15g", node->valuedouble);
    default:
        return STR_NULL;
    }
}

const char *json_library(void)
{
    return cJSON_Version();
}
