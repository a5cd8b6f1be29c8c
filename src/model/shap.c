/* model/shap.c - exact path-dependent TreeSHAP.
 *
 * A leaf of value v hangs on a path that asks n different features. Of each, z is the share of the
 * training rows that the path's conditions on it let through, and o, 1 or 0, whether they let this
 * row through. Were only the features in S known, the leaf would give v times the product of o over
 * S and of z over the rest. The Shapley value of a feature in that game is
 *
 *     v (o_i - z_i) * sum over S without i of |S|! (n - |S| - 1)! / n! * prod_S o * prod_rest z
 *
 * Only sets of satisfied features count, and how many of each size there are, weighted, are the
 * coefficients of p(y) = prod over satisfied features of (z + y). A satisfied feature's sum is over
 * p(y) / (z_i + y), divided from the top, which is stable for z <= 1; all that are not satisfied
 * have one and the same. p grows along the path, so that a leaf costs about the square of how many
 * it satisfies, instead of the square of its depth for each.
 */
#include <math.h>
#include <string.h>

#include "model_priv.h"

enum { WIDTH = MODEL_MAX_DEPTH + 1 };

struct element {
    uint16_t feature;
    bool satisfied;
    double z;
};

/* A path down to some node. */
struct path {
    struct element at[WIDTH];
    size_t n, n_satisfied;
    double p[WIDTH];    /* coefficients, from y^0 to y^n_satisfied */
    double unsatisfied; /* product of z of those that are not */
};

struct explaining {
    const struct trees *trees;
    const float *x;
    double *ret;
    struct path *paths;       /* one for each depth */
    double (*weights)[WIDTH]; /* [n][s]: s! (n - s - 1)! / n! */
};

/* p *= z + y */
static void multiply(struct path *p, double z)
{
    size_t n = p->n_satisfied;

    p->p[n + 1] = p->p[n];
    for (size_t s = n; s > 0; s--)
        p->p[s] = p->p[s - 1] + z * p->p[s];
    p->p[0] *= z;
    p->n_satisfied++;
}

/* p /= z + y */
static void divide(struct path *p, double z)
{
    size_t n = p->n_satisfied;
    double above = p->p[n];

    for (size_t s = n; s > 0; s--) {
        double here = p->p[s - 1];

        p->p[s - 1] = above;
        above = here - z * above;
    }
    p->n_satisfied--;
}

/* The conditions on a feature, one of which is new. */
static void extend(struct path *p, uint16_t feature, double z, bool satisfied)
{
    size_t i = 0;

    while (i < p->n && p->at[i].feature != feature)
        i++;
    struct element *e = &p->at[i];
    if (i == p->n) {
        p->n++;
        *e = (struct element){feature, satisfied, z};
    } else {
        if (e->satisfied)
            divide(p, e->z);
        else
            satisfied = false;
        e->satisfied = satisfied;
        e->z *= z;
    }
    if (satisfied)
        multiply(p, e->z);
    p->unsatisfied = 1;
    for (size_t k = 0; k < p->n; k++)
        if (!p->at[k].satisfied)
            p->unsatisfied *= p->at[k].z;
}

static void leaf(const struct explaining *e, const struct path *p, double value)
{
    const double *w = e->weights[p->n];
    size_t k = p->n_satisfied;
    double scale = value * p->unsatisfied, others = 0;

    if (p->n == 0 || scale == 0)
        return;
    if (k < p->n) {
        for (size_t s = 0; s <= k; s++)
            others += w[s] * p->p[s];
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct element *el = &p->at[i];

        if (!el->satisfied) {
            e->ret[el->feature] -= scale * others;
            continue;
        }
        double q = p->p[k], sum = w[k - 1] * q;
        for (size_t s = k - 1; s > 0; s--) {
            q = p->p[s] - el->z * q;
            sum += w[s - 1] * q;
        }
        e->ret[el->feature] += scale * (1 - el->z) * sum;
    }
}

static void copy_path(struct path *to, const struct path *from)
{
    memcpy(to->at, from->at, from->n * sizeof *from->at);
    memcpy(to->p, from->p, (from->n_satisfied + 1) * sizeof *from->p);
    to->n = from->n;
    to->n_satisfied = from->n_satisfied;
    to->unsatisfied = from->unsatisfied;
}

static void descend(const struct explaining *e, uint32_t node, size_t depth)
{
    const struct trees *t = e->trees;
    const struct tree_node *n = &t->nodes[node];
    const struct path *here = &e->paths[depth];

    if (!n->left) {
        leaf(e, here, (double)n->split);
        return;
    }
    float x = e->x[n->feature];
    bool right = isnan(x) ? n->missing_right : !(x < n->split);
    for (uint32_t side = 0; side < 2; side++) {
        copy_path(&e->paths[depth + 1], here);
        extend(&e->paths[depth + 1], n->feature, t->share[n->left + side], side == right);
        descend(e, n->left + side, depth + 1);
    }
}

static void fill_weights(double ret[][WIDTH], size_t depth)
{
    for (size_t n = 1; n <= depth; n++) {
        ret[n][0] = 1 / (double)n; /* 0! (n - 1)! / n! */
        for (size_t s = 1; s < n; s++)
            ret[n][s] = ret[n][s - 1] * (double)s / (double)(n - s);
    }
}

void trees_explain(const struct trees *t, const float x[], struct arena *a, double ret[])
{
    struct explaining e = {
        .trees = t,
        .x = x,
        .ret = ret,
        .paths = arena_array(a, t->depth + 1, sizeof *e.paths),
        .weights = arena_array(a, t->depth + 1, sizeof *e.weights),
    };

    fill_weights(e.weights, t->depth);
    e.paths[0].p[0] = 1;
    e.paths[0].unsatisfied = 1;
    for (size_t i = 0; i < t->n_trees; i++)
        descend(&e, t->roots[i], 0);
}
