/* Which sites' pages may open the signaling WebSocket and use the API. Browsers send cookies and
 * reach private networks on behalf of any page, and tell which one by Origin (RFC 6454 7, RFC
 * 6455 10.2). Pure; no IO. */
#ifndef WEIR_CONTROLLER_NET_ORIGIN_H
#define WEIR_CONTROLLER_NET_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* Strings are borrowed. */
struct origin_policy {
    const char *const *allowed; /* "https://other.example"; "*": all */
    size_t n_allowed;
    const char *public_url; /* where users reach the service; NULL or "": not known */
};

/* origin: the header's value, NULL when there is none: not a browser, which is fine. host: of the
 * same request, or NULL. tls: the client came by TLS; the page must have as well then. */
bool origin_allowed(const struct origin_policy *p, const char *origin, const char *host, bool tls);

/* The same, but "*" does not count, and NULL is not allowed: for what a browser does with the
 * cookies of its user. */
bool origin_trusted(const struct origin_policy *p, const char *origin, const char *host, bool tls);

enum origin_listed {
    ORIGIN_FOREIGN, /* not in the list */
    ORIGIN_ANY,     /* the list has "*" */
    ORIGIN_NAMED    /* in the list by its name */
};
/* How the list of allowed origins has it. */
enum origin_listed origin_listed(const struct origin_policy *p, const char *origin);

#endif
