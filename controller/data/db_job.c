#include "controller/data/db_engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

static void *take(char **at, size_t n)
{
    void *p = *at;
    *at += n;
    return p;
}

struct db_job *db_job_open(const struct db_stmt *stmts, size_t n, unsigned flags, size_t bytes)
{
    size_t n_params = 0;
    for (size_t i = 0; i < n; i++)
        n_params += stmts[i].n_params;
    /* The job, its statements, their parameters, then bytes: in this order each is aligned. */
    struct db_job *job =
        calloc(1, sizeof *job + n * sizeof *stmts + n_params * sizeof(struct db_param) + bytes);
    if (!job)
        return NULL;
    char *at = (char *)(job + 1);
    job->stmts = take(&at, n * sizeof *stmts);
    struct db_param *params = take(&at, n_params * sizeof *params);
    for (size_t i = 0; i < n; i++) {
        struct db_stmt *s = &job->stmts[i];
        *s = stmts[i];
        size_t len = strlen(stmts[i].sql) + 1;
        s->sql = memcpy(take(&at, len), stmts[i].sql, len);
        s->params = params;
        for (size_t k = 0; k < s->n_params; k++) {
            struct db_param p = stmts[i].params[k];
            if (p.type == DB_TEXT) {
                p.n = strlen(p.u.text);
                p.u.text = memcpy(take(&at, p.n + 1), p.u.text, p.n + 1);
            } else if (p.type == DB_BLOB) {
                void *copy = take(&at, p.n);
                if (p.n > 0)
                    memcpy(copy, p.u.blob, p.n);
                p.u.blob = copy;
            }
            *params++ = p;
        }
    }
    list_init(&job->link);
    job->n = n;
    job->flags = flags;
    job->tx = n > 1 || (flags & (DB_TX | DB_LOCK)) != 0;
    job->queued_at = clock_now();
    return job;
}

void db_job_close(struct db_job *job)
{
    db_result_close(job->first);
    free(job);
}

void db_job_add(struct db_job *job, struct db_result *r)
{
    if (job->last)
        job->last->next = r;
    else
        job->first = r;
    job->last = r;
}

void db_job_fail(struct db_job *job, enum err e, const char *fmt, ...)
{
    db_result_close(job->first);
    job->first = job->last = NULL;
    if (job->err != OK)
        return;
    job->err = e;
    va_list args;
    va_start(args, fmt);
    vsnprintf(job->reason, sizeof job->reason, fmt, args);
    va_end(args);
    size_t n = strlen(job->reason);
    while (n > 0 && job->reason[n - 1] == '\n')
        job->reason[--n] = '\0';
}

bool db_job_matched(const struct db_stmt *stmt, const struct db_result *r)
{
    return !stmt->must_match || db_rows(r) > 0 || db_affected(r) > 0;
}
