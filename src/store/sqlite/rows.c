/* store/sqlite/rows.c - rows to values, in the column order of statements.def. */
#include "db.h"

#include <stdio.h>

#include "funneld/route/route.h"

static struct chance col_chance(sqlite3_stmt *s, int column)
{
    return (struct chance){.known = sqlite3_column_type(s, column) != SQLITE_NULL,
                           .tenths = sqlite3_column_int64(s, column)};
}

enum rc row_lead(struct db *db, sqlite3_stmt *s, struct arena *a, struct lead *ret)
{
    *ret = (struct lead){
        .id = sqlite3_column_int64(s, 0),
        .portal_id = sqlite3_column_int64(s, 1),
        .crm_id = sqlite3_column_int64(s, 2),
        .email = col_str(s, 3, a),
        .state = (enum lead_state)sqlite3_column_int(s, 4),
        .state_at = sqlite3_column_int64(s, 5),
        .erased = sqlite3_column_int(s, 6),
        .merged_into = sqlite3_column_int64(s, 7),
        .created_at = sqlite3_column_int64(s, 8),
        .enriched_at = sqlite3_column_int64(s, 9),
        .score = sqlite3_column_int64(s, 10),
        .fit = sqlite3_column_int64(s, 11),
        .engagement = sqlite3_column_int64(s, 12),
        .band = (enum band)sqlite3_column_int(s, 13),
        .evaluated = sqlite3_column_int(s, 14),
        .last_event = sqlite3_column_int64(s, 15),
        .ledger = col_str(s, 17, a),
        .waiting = col_str(s, 18, a),
        .probability = col_chance(s, 19),
        .churn = col_chance(s, 20),
        .activity = col_bytes(s, 21, a),
        .source = col_str(s, 22, a),
        .told_probability = sqlite3_column_int64(s, 23),
        .told_churn = sqlite3_column_int64(s, 24),
    };
    const char *properties = sqlite3_column_blob(s, 16);

    if (properties_read((struct str){properties, (size_t)sqlite3_column_bytes(s, 16)}, a, ret) ==
        RC_OK)
        return RC_OK;
    ret->properties = NULL;
    ret->n_properties = ret->cap_properties = 0;
    (void)!snprintf(db->error, sizeof db->error, "the properties of lead %lld cannot be read",
                    (long long)ret->id);
    return RC_INVALID;
}

void row_event(sqlite3_stmt *s, struct arena *a, struct event_view *ret)
{
    *ret = (struct event_view){
        .id = sqlite3_column_int64(s, 0),
        .lead = sqlite3_column_int64(s, 1),
        .source = col_str(s, 2, a),
        .type = col_str(s, 3, a),
        .state = (enum event_state)sqlite3_column_int(s, 4),
        .reason = col_str(s, 5, a),
        .occurred_at = sqlite3_column_int64(s, 6),
        .received_at = sqlite3_column_int64(s, 7),
        .request_id = col_str(s, 8, a),
        .body = col_str(s, 9, a),
        .signature = col_str(s, 11, a),
        .committed_at = sqlite3_column_int64(s, 12),
        .replayed_at = sqlite3_column_int64(s, 13),
    };
    if (sqlite3_column_bytes(s, 10) == SHA256_LEN)
        hex_encode(sqlite3_column_blob(s, 10), SHA256_LEN, ret->body_sha256);
}

enum rc row_delivery(struct db *db, sqlite3_stmt *s, struct arena *a, struct delivery *ret)
{
    struct why why = {0};

    *ret = (struct delivery){
        .id = sqlite3_column_int64(s, 0),
        .event = sqlite3_column_int64(s, 1),
        .lead = sqlite3_column_int64(s, 2),
        .route = col_str(s, 3, a),
        .connector = col_str(s, 4, a),
        .state = (enum delivery_state)sqlite3_column_int(s, 5),
        .attempts = sqlite3_column_int64(s, 6),
        .created_at = sqlite3_column_int64(s, 7),
        .due_at = sqlite3_column_int64(s, 8),
        .done_at = sqlite3_column_int64(s, 9),
        .open_attempt_at = sqlite3_column_int64(s, 10),
        .wait_until = sqlite3_column_int64(s, 11),
        .reason = col_str(s, 12, a),
        .remote_id = col_str(s, 13, a),
        .request_id = col_str(s, 15, a),
        .urgent = sqlite3_column_int(s, 16),
        .target = sqlite3_column_int64(s, 17),
        .unclear = sqlite3_column_int64(s, 18),
    };
    if (facts_from_json(col_view(s, 14), a, &ret->facts, &why) == RC_OK)
        return RC_OK;
    (void)!snprintf(db->error, sizeof db->error, "facts of delivery %lld: %.200s",
                    (long long)ret->id, why.text);
    return RC_INVALID;
}

void row_due(sqlite3_stmt *s, int from, struct due_row *ret)
{
    *ret = (struct due_row){
        .id = sqlite3_column_int64(s, from),
        .lead = sqlite3_column_int64(s, from + 1),
        .due_at = sqlite3_column_int64(s, from + 2),
        .open_attempt_at = sqlite3_column_int64(s, from + 3),
        .urgent = sqlite3_column_int(s, from + 4),
        .target = sqlite3_column_int64(s, from + 5),
    };
}

enum rc rows_due(struct db *db, sqlite3_stmt *s, enum rc rc, due_seen *seen, void *self)
{
    while (rc == RC_OK && (rc = db_step(db, s)) == RC_OK) {
        struct due_row row;

        row_due(s, 1, &row);
        seen(self, col_view(s, 0), &row);
    }
    return db_finish(s, rc);
}
