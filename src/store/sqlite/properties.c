/* store/sqlite/properties.c - a lead's properties as one value in its row.
 *
 * Of each, sorted by name: bytes of the name, bytes of the value, time where it is not the dedupe
 * key's own, each with a colon behind it; then name, value and the bytes of that key.
 */
#include <string.h>

#include "db.h"

static void add_number(struct sbuf *b, int64_t value)
{
    sbuf_int(b, value);
    sbuf_char(b, ':');
}

static void add_time(struct sbuf *b, const struct property *p)
{
    if (p->at == dedupe_key_time(&p->key))
        sbuf_char(b, ':');
    else
        add_number(b, p->at);
}

enum rc properties_write(const struct lead *l, struct sbuf *b)
{
    sbuf_reset(b);
    for (size_t i = 0; i < l->n_properties; i++) {
        const struct property *p = &l->properties[i];

        if (!p->name.at)
            return RC_INVALID;
        add_number(b, (int64_t)p->name.len);
        add_number(b, (int64_t)p->value.len);
        add_time(b, p);
        sbuf_add(b, p->name);
        sbuf_add(b, p->value);
        sbuf_add(b, (struct str){(const char *)p->key.bytes, sizeof p->key.bytes});
    }
    return b->failed ? RC_TOOBIG : RC_OK;
}

/* Where it is the key's: that one comes later. */
static bool take_time(struct str *rest, bool *ret_given, int64_t *ret)
{
    struct str part;

    if (!str_split(rest, ':', &part))
        return false;
    *ret_given = part.len > 0;
    return !*ret_given || str_int64(part, ret);
}

static bool take_bytes(struct str *rest, int64_t len, struct str *ret)
{
    if (len < 0 || (uint64_t)len > rest->len)
        return false;
    *ret = (struct str){rest->at, (size_t)len};
    *rest = str_from(*rest, (size_t)len);
    return true;
}

enum rc properties_read(struct str bytes, struct arena *a, struct lead *ret)
{
    const struct str email = ret->email;

    while (bytes.len) {
        int64_t name_len, value_len, at;
        struct str name, value, key;
        struct dedupe_key k;
        bool given;

        if (!str_take_int64(&bytes, ':', &name_len) || !str_take_int64(&bytes, ':', &value_len) ||
            !take_time(&bytes, &given, &at) || !take_bytes(&bytes, name_len, &name) ||
            !take_bytes(&bytes, value_len, &value) || !take_bytes(&bytes, sizeof k.bytes, &key))
            return RC_INVALID;
        memcpy(k.bytes, key.at, sizeof k.bytes);
        if (!given)
            at = dedupe_key_time(&k);
        if (lead_put(ret, name, value, at, &k, a))
            ret->properties[ret->n_properties - 1].changed = false; /* they come sorted by name */
    }
    ret->email = email; /* as stored: a sender's identity need not be a property */
    return RC_OK;
}
