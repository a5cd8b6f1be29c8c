/* model/trees.c - XGBoost's JSON (1.7), flattened and walked.
 *
 * Nobody vouches for the text: every array's length, every index and every number is looked at
 * before it is used. Only nodes that the root leads to are taken, each once, so that what has a
 * cycle, or a node with two parents, is refused; children lie side by side.
 *
 * The walk is bit-equal to XGBoost's: its margin is a float to which the leaves are added in the
 * order of the trees, and a row goes left where x < split in floats.
 */
#include <math.h>
#include <string.h>

#include "funneld/base/json.h"
#include "model_priv.h"

enum { MAX_TREES = 20000, MAX_NODES = 4000000 };

/* One tree's columns, as XGBoost writes them. */
struct columns {
    const int32_t *left, *right, *feature, *default_left;
    const double *split, *cover;
    size_t n;
};

struct reading {
    struct trees *trees;
    size_t cap, n_features;
    struct arena *keep;
    struct arena scratch; /* of one tree */
    struct why *why;
};

static enum rc bad(struct reading *r, const char *what)
{
    (void)why_fail(RC_INVALID, r->why, "the trees: %s", what);
    return RC_INVALID;
}

static bool real_of(const json *node, double *ret)
{
    if (json_type(node) == JSON_BOOL) {
        *ret = json_true(node);
        return true;
    }
    return json_real(node, ret);
}

/* An array of exactly n numbers; NULL: it is not. */
static const double *reals(struct reading *r, const json *tree, const char *key, size_t n)
{
    const json *array = json_get(tree, key), *item;
    double *list = arena_array(&r->scratch, n, sizeof *list);
    size_t i = 0;

    if (json_type(array) != JSON_ARRAY)
        return NULL;
    for (item = json_first(array); item; item = json_next(item))
        if (i == n || !real_of(item, &list[i++]))
            return NULL;
    return i == n ? list : NULL;
}

static const int32_t *indexes(struct reading *r, const json *tree, const char *key, size_t n)
{
    const double *list = reals(r, tree, key, n);
    int32_t *ret = arena_array(&r->scratch, n, sizeof *ret);

    for (size_t i = 0; i < n && list; i++) {
        if (!(list[i] >= -1 && list[i] <= MAX_NODES))
            return NULL;
        ret[i] = (int32_t)list[i];
    }
    return list ? ret : NULL;
}

static bool has_categories(const json *tree)
{
    const json *types = json_get(tree, "split_type");

    for (const json *t = json_first(types); t; t = json_next(t)) {
        double type;

        if (!real_of(t, &type) || type != 0)
            return true;
    }
    return json_count(json_get(tree, "categories")) > 0;
}

static enum rc read_columns(struct reading *r, const json *tree, struct columns *c)
{
    size_t n = json_count(json_get(tree, "left_children"));

    if (n == 0 || n > MAX_NODES)
        return bad(r, "one has no nodes");
    *c = (struct columns){
        .left = indexes(r, tree, "left_children", n),
        .right = indexes(r, tree, "right_children", n),
        .feature = indexes(r, tree, "split_indices", n),
        .default_left = indexes(r, tree, "default_left", n),
        .split = reals(r, tree, "split_conditions", n),
        .cover = reals(r, tree, "sum_hessian", n),
        .n = n,
    };
    if (!c->left || !c->right || !c->feature || !c->default_left || !c->split || !c->cover)
        return bad(r, "one has nodes without what XGBoost says of each");
    return has_categories(tree) ? bad(r, "one splits by categories, which is not known here")
                                : RC_OK;
}

/* A node of XGBoost's that waits to be written to `to`, at a depth. */
struct pending {
    int32_t from;
    uint32_t to;
    uint32_t depth;
};

static void more_nodes(struct reading *r)
{
    struct trees *t = r->trees;
    size_t cap = r->cap ? r->cap * 2 : 1024;

    if (t->n_nodes + 2 <= r->cap)
        return;
    t->nodes = mem_grow(t->nodes, cap, sizeof *t->nodes);
    t->share = mem_grow(t->share, cap, sizeof *t->share);
    r->cap = cap;
}

/* Two nodes side by side, or the one of a root. */
static uint32_t new_nodes(struct reading *r, size_t n)
{
    struct trees *t = r->trees;
    uint32_t first = (uint32_t)t->n_nodes;

    more_nodes(r);
    for (size_t i = 0; i < n; i++) {
        t->nodes[first + i] = (struct tree_node){0};
        t->share[first + i] = 1;
    }
    t->n_nodes += n;
    return first;
}

static double share_of(double cover, double above)
{
    return above > 0 && cover > 0 ? fmin(cover / above, 1) : 0;
}

static enum rc split_node(struct reading *r, const struct columns *c, struct pending p,
                          struct pending ret[2])
{
    int32_t left = c->left[p.from], right = c->right[p.from], feature = c->feature[p.from];

    if (left < 0 || right < 0 || (size_t)left >= c->n || (size_t)right >= c->n || left == right)
        return bad(r, "a node's children are none that there are");
    if (feature < 0 || (size_t)feature >= r->n_features)
        return bad(r, "one asks for a column that there is not");
    if (p.depth >= MODEL_MAX_DEPTH)
        return bad(r, "one is too deep");
    uint32_t to = new_nodes(r, 2);
    r->trees->nodes[p.to].left = to;
    r->trees->nodes[p.to].feature = (uint16_t)feature;
    r->trees->nodes[p.to].missing_right = !c->default_left[p.from];
    r->trees->share[to] = share_of(c->cover[left], c->cover[p.from]);
    r->trees->share[to + 1] = share_of(c->cover[right], c->cover[p.from]);
    ret[0] = (struct pending){left, to, p.depth + 1};
    ret[1] = (struct pending){right, to + 1, p.depth + 1};
    return RC_OK;
}

/* Breadth first, so that what is walked most lies together. */
static enum rc flatten(struct reading *r, const struct columns *c)
{
    struct trees *t = r->trees;
    struct pending *queue = arena_array(&r->scratch, c->n + 1, sizeof *queue);
    bool *seen = arena_array(&r->scratch, c->n, sizeof *seen);
    size_t n = 1;
    enum rc rc = RC_OK;

    queue[0] = (struct pending){0, new_nodes(r, 1), 0};
    t->roots[t->n_trees++] = queue[0].to;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        struct pending p = queue[i];
        float split = (float)c->split[p.from];

        if (seen[p.from])
            return bad(r, "a node has two parents");
        seen[p.from] = true;
        if (!isfinite(split) || !isfinite(c->cover[p.from]))
            return bad(r, "a number is out of range");
        t->nodes[p.to].split = split;
        t->depth = p.depth > t->depth ? p.depth : t->depth;
        if (c->left[p.from] < 0) {
            if (fabsf(split) > MODEL_MAX_WEIGHT)
                return bad(r, "a leaf is out of range");
            continue;
        }
        if (n + 2 > c->n)
            return bad(r, "a node has two parents");
        rc = split_node(r, c, p, queue + n);
        n += 2;
    }
    return rc;
}

static enum rc read_tree(struct reading *r, const json *tree)
{
    struct columns c = {0};
    enum rc rc = read_columns(r, tree, &c);

    if (rc == RC_OK && r->trees->n_nodes + c.n > MAX_NODES)
        rc = bad(r, "there are too many nodes");
    if (rc == RC_OK)
        rc = flatten(r, &c);
    arena_reset(&r->scratch);
    return rc;
}

/* XGBoost writes the numbers of its parameters as texts; newer ones write "[5E-1]" for a base
 * score, of which there is one for each target. */
static bool parameter(const json *model, const char *path, double *ret)
{
    struct str text = json_string(json_path(model, path));

    if (!text.at || !str_take(&text, '['))
        return json_real(json_path(model, path), ret);
    return str_ends(text, STR("]")) && value_number((struct str){text.at, text.len - 1}, ret);
}

static enum rc read_base(struct reading *r, const json *root)
{
    double base, classes = 0, features;
    struct str objective = json_string(json_path(root, "learner.objective.name"));

    if (!str_is(objective, "binary:logistic"))
        return bad(r, "their objective is not binary:logistic");
    if (!str_is(json_string(json_path(root, "learner.gradient_booster.name")), "gbtree"))
        return bad(r, "their booster is not gbtree");
    if (!parameter(root, "learner.learner_model_param.num_feature", &features) ||
        features != (double)r->n_features)
        return why_fail(RC_INVALID, r->why,
                        "the trees: they do not take the %zu columns that the "
                        "model has",
                        r->n_features);
    if (!parameter(root, "learner.learner_model_param.base_score", &base) ||
        !((float)base > 0 && (float)base < 1))
        return bad(r, "their base score is none");
    if (parameter(root, "learner.learner_model_param.num_class", &classes) && classes > 1)
        return bad(r, "they tell more than two classes apart");
    r->trees->base_margin = -logf(1.0f / (float)base - 1.0f); /* as XGBoost does */
    return RC_OK;
}

static double mean_below(const struct trees *t, uint32_t node)
{
    const struct tree_node *n = &t->nodes[node];

    if (!n->left)
        return (double)n->split;
    return t->share[n->left] * mean_below(t, n->left) +
           t->share[n->left + 1] * mean_below(t, n->left + 1);
}

static enum rc read_all(struct reading *r, const json *root)
{
    const json *list = json_path(root, "learner.gradient_booster.model.trees");
    size_t n = json_count(list);
    enum rc rc = read_base(r, root);

    if (rc != RC_OK)
        return rc;
    if (r->n_features == 0)
        return bad(r, "there is no column that they could ask for");
    if (n == 0 || n > MAX_TREES)
        return bad(r, n ? "there are too many" : "there are none");
    r->trees->roots = arena_array(r->keep, n, sizeof *r->trees->roots);
    for (const json *tree = json_first(list); tree && rc == RC_OK; tree = json_next(tree))
        rc = read_tree(r, tree);
    return rc;
}

static void keep_nodes(struct reading *r)
{
    struct trees *t = r->trees;
    struct tree_node *nodes = t->nodes;
    double *share = t->share;

    t->nodes = arena_array(r->keep, t->n_nodes, sizeof *nodes);
    memcpy(t->nodes, nodes, t->n_nodes * sizeof *nodes);
    t->share = arena_array(r->keep, t->n_nodes, sizeof *share);
    memcpy(t->share, share, t->n_nodes * sizeof *share);
    t->mean = (double)t->base_margin;
    for (size_t i = 0; i < t->n_trees; i++)
        t->mean += mean_below(t, t->roots[i]);
    t->shap = shap_new(t, r->keep);
}

enum rc trees_read(struct str text, size_t n_features, struct arena *a, struct trees *ret,
                   struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct trees trees = {0};
    struct reading r = {.trees = &trees, .n_features = n_features, .keep = a, .why = why};
    enum rc rc = model_text_bounded(text, why);

    if (rc == RC_OK)
        rc = json_parse(text, &doc, why);
    if (rc != RC_OK)
        return why_wrap(rc, why, "the trees");
    rc = read_all(&r, doc.root);
    void *nodes = trees.nodes, *share = trees.share;
    if (rc == RC_OK && nodes && share)
        keep_nodes(&r);
    mem_freep(&nodes);
    mem_freep(&share);
    arena_free(&r.scratch);
    if (rc == RC_OK)
        *ret = trees;
    return rc;
}

static inline const struct tree_node *step(const struct tree_node *nodes, const struct tree_node *n,
                                           const float x[])
{
    float value = x[n->feature];
    uint32_t right = (uint32_t)(value >= n->split) | ((uint32_t)isnan(value) & n->missing_right);

    return nodes + n->left + right;
}

/* A walk waits for memory at each step; walks of some trees at once wait together. */
enum { ABREAST = 8 };

static void walk_abreast(const struct trees *t, size_t first, const float x[],
                         const struct tree_node *n[ABREAST])
{
    uint32_t inner = 0;

    for (size_t k = 0; k < ABREAST; k++)
        n[k] = &t->nodes[t->roots[first + k]];
    do {
        inner = 0;
#pragma GCC unroll 8
        for (size_t k = 0; k < ABREAST; k++) {
            const struct tree_node *next = step(t->nodes, n[k], x);

            n[k] = n[k]->left ? next : n[k];
            inner |= n[k]->left;
        }
    } while (inner);
}

float trees_margin(const struct trees *t, const float x[])
{
    float margin = t->base_margin;
    size_t i = 0;

    for (; i + ABREAST <= t->n_trees; i += ABREAST) {
        const struct tree_node *leaf[ABREAST];

        walk_abreast(t, i, x, leaf);
        for (size_t k = 0; k < ABREAST; k++)
            margin += leaf[k]->split;
    }
    for (; i < t->n_trees; i++) {
        const struct tree_node *n = &t->nodes[t->roots[i]];

        while (n->left)
            n = step(t->nodes, n, x);
        margin += n->split;
    }
    return margin;
}
