/* model/shap.c - exact path-dependent TreeSHAP.
 *
 * Let each feature be known with a chance t, by itself. A row then goes down a tree like this:
 * where the node's feature is known, to its own side; where not, to either, by the shares of the
 * rows of training. E(t) is the leaf's value that this gives on average, from the training's mean
 * at t = 0 to the row's own value at t = 1. A feature's Shapley value is what comes from its own
 * chance, the others' growing with it: the integral from 0 to 1 of dE / dt_i.
 *
 * A leaf that is reached with the chance W, and whose path leaves the chance k that feature i is
 * known (by Bayes: t before it was asked for; 0 when the path left the row's own side), gives
 *
 *     value * W * (k - t) / (t (1 - t))
 *
 * to it. This is a polynomial of t, of a degree below the depth, so that Gauss's sum over few
 * knots is its exact integral: four at once are enough for a depth of 8. What all leaves below a
 * node give is added up from below; an edge gives its feature what it changed of k.
 */
#include <float.h>
#include <math.h>

#include "model_priv.h"

enum { LANES = 4, DEPTH_OF_LANES = 2 * LANES };

typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(16)));

struct knots {
    lanes chance; /* t */
    lanes weight; /* Gauss's, over t (1 - t) */
};

struct shap {
    const uint32_t *before; /* [n_nodes] */
    const struct knots *knots;
    size_t n_knots, widest; /* nodes of the tree that has most */
};

struct place {
    lanes reach; /* the chance to come here, with the knots' weights; above a leaf, times values */
    lanes known; /* the chance that what was asked for on the way to here is known */
};

static bool goes_right(const struct tree_node *n, float x)
{
    return isnan(x) ? n->missing_right : !(x < n->split);
}

static void go_down(const struct trees *t, uint32_t first, uint32_t end, const float x[],
                    struct place at[])
{
    for (uint32_t i = first; i < end; i++) {
        const struct tree_node *n = &t->nodes[i];
        struct place *here = &at[i - first];

        if (!n->left) {
            here->reach *= (double)n->split;
            continue;
        }
        uint32_t own = goes_right(n, x[n->feature]), other = !own;
        struct place *below = &at[n->left - first];
        const lanes known = at[t->shap->before[i] - first].known, unknown = 1 - known;
        const lanes way = t->share[n->left + own] * unknown + known;

        below[own].reach = here->reach * way;
        below[own].known = known / (way + DBL_MIN); /* where it is 0, so is the way perhaps */
        below[other].reach = here->reach * (t->share[n->left + other] * unknown);
        below[other].known = (lanes){0};
    }
}

static void come_up(const struct trees *t, uint32_t first, uint32_t end, struct place at[],
                    double ret[])
{
    for (uint32_t i = end; i-- > first;) {
        const struct tree_node *n = &t->nodes[i];

        if (!n->left)
            continue;
        const struct place *left = &at[n->left - first], *right = left + 1;
        const lanes known = at[t->shap->before[i] - first].known;
        const lanes gives =
            left->reach * (left->known - known) + right->reach * (right->known - known);

        at[i - first].reach = left->reach + right->reach;
        ret[n->feature] += (gives[0] + gives[1]) + (gives[2] + gives[3]);
    }
}

static uint32_t end_of(const struct trees *t, size_t tree)
{
    return tree + 1 < t->n_trees ? t->roots[tree + 1] : (uint32_t)t->n_nodes;
}

void trees_explain(const struct trees *t, const float x[], struct arena *a, double ret[])
{
    struct place *at = arena_array(a, t->shap->widest, sizeof *at);

    for (size_t i = 0; i < t->n_trees; i++) {
        for (size_t k = 0; k < t->shap->n_knots; k++) {
            at[0] = (struct place){t->shap->knots[k].weight, t->shap->knots[k].chance};
            go_down(t, t->roots[i], end_of(t, i), x, at);
            come_up(t, t->roots[i], end_of(t, i), at, ret);
        }
    }
}

/* Of each node, the lowest of the nodes from the root to it that was led to by its own feature; the
 * root, where the feature is new. */
static void find_before(const struct trees *t, size_t tree, uint32_t above[], uint32_t before[])
{
    uint32_t root = t->roots[tree];

    for (uint32_t i = root; i < end_of(t, tree); i++) {
        const struct tree_node *n = &t->nodes[i];
        uint32_t at = i;

        if (!n->left)
            continue;
        above[n->left] = above[n->left + 1] = i;
        while (at != root && t->nodes[above[at]].feature != n->feature)
            at = above[at];
        before[i] = at;
    }
}

/* Legendre's polynomial and its slope. */
static double legendre(size_t degree, double x, double *ret_slope)
{
    double p = 1, last = 0;

    for (size_t i = 0; i < degree; i++) {
        double next = ((double)(2 * i + 1) * x * p - (double)i * last) / (double)(i + 1);

        last = p;
        p = next;
    }
    *ret_slope = (double)degree * (x * p - last) / (x * x - 1);
    return p;
}

static void fill_knots(struct knots ret[], size_t n)
{
    enum { STEPS = 20 }; /* Newton's; five are enough */

    for (size_t i = 0; i < n; i++) {
        double x = cos(M_PI * ((double)i + 0.75) / ((double)n + 0.5)), slope;

        for (int k = 0; k < STEPS; k++)
            x -= legendre(n, x, &slope) / slope;
        (void)legendre(n, x, &slope);
        double spread = 1 - x * x; /* 4 t (1 - t) */
        ret[i / LANES].chance[i % LANES] = (1 + x) / 2;
        ret[i / LANES].weight[i % LANES] = 4 / (spread * spread * slope * slope);
    }
}

const struct shap *shap_new(const struct trees *t, struct arena *a)
{
    struct shap *s = ARENA_NEW(a, struct shap);
    size_t n_knots = t->depth ? (t->depth + DEPTH_OF_LANES - 1) / DEPTH_OF_LANES : 1;
    struct knots *knots = arena_array(a, n_knots, sizeof *knots);
    uint32_t *before = arena_array(a, t->n_nodes, sizeof *before);
    struct arena scratch AUTO(arena_free) = {0};
    uint32_t *above = arena_array(&scratch, t->n_nodes, sizeof *above);

    for (size_t i = 0; i < t->n_trees; i++) {
        size_t wide = end_of(t, i) - t->roots[i];

        find_before(t, i, above, before);
        s->widest = wide > s->widest ? wide : s->widest;
    }
    fill_knots(knots, n_knots * LANES);
    s->before = before;
    s->knots = knots;
    s->n_knots = n_knots;
    return s;
}
