/* SDP: a bounded parser and a printer for what WebRTC offers and answers say (RFC 8866, 8839, 8842,
 * 8843, 8851, 8853, 5576, 9725), and the description that ffmpeg reads its RTP inputs from. Pure;
 * prints into the caller's buffer; no allocation; no IO. */
#ifndef WEIR_PROTO_SDP_H
#define WEIR_PROTO_SDP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    SDP_TEXT_MAX = 256 * 1024,
    SDP_MEDIA_MAX = 16,
    SDP_CODECS_MAX = 64,
    SDP_FEEDBACKS_MAX = 192,
    SDP_EXTS_MAX = 24,
    SDP_SSRCS_MAX = 16,
    SDP_SSRC_GROUPS_MAX = 8,
    SDP_SSRC_GROUP_MAX = 4,
    SDP_RIDS_MAX = 8,
    SDP_CANDIDATES_MAX = 24,
    SDP_FINGERPRINTS_MAX = 4,
    SDP_BUNDLE_MAX = SDP_MEDIA_MAX
};

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };
enum sdp_setup { SDP_SETUP_NONE, SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE, SDP_SETUP_ACTPASS };
enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_APPLICATION, SDP_OTHER };

/* All slices point into the text that was parsed (or wherever the caller points them). */
struct sdp_codec {
    struct slice name; /* empty: a static payload type without rtpmap */
    struct slice fmtp; /* parameters as they stand; p NULL: none */
    uint32_t clock_rate;
    uint8_t payload_type;
    uint8_t channels; /* 0: not given */
};

enum { SDP_PT_ALL = 255 };

struct sdp_feedback {
    struct slice value;   /* "nack pli", "transport-cc", ... */
    uint8_t payload_type; /* SDP_PT_ALL: "*" */
};

struct sdp_ext {
    struct slice uri;
    uint8_t id;
    bool has_direction;
    enum sdp_direction direction;
};

struct sdp_ssrc {
    uint32_t ssrc;
    struct slice cname; /* p NULL: none; so below */
    struct slice msid;
};

struct sdp_ssrc_group {
    struct slice semantics; /* "FID", "SIM", ... */
    uint32_t ssrcs[SDP_SSRC_GROUP_MAX];
    uint8_t n_ssrcs;
};

struct sdp_rid {
    struct slice id;
    struct slice restrictions; /* p NULL: none */
    bool send;
};

struct sdp_candidate {
    struct slice foundation;
    struct slice transport; /* "udp", "tcp" as written */
    struct slice address;   /* an IP literal or a host name (mDNS) */
    struct slice type;      /* "host", "srflx", "prflx", "relay" */
    struct slice rest;      /* raddr, tcptype and what else follows; p NULL: none */
    uint32_t priority;
    uint16_t component;
    uint16_t port;
};

struct sdp_fingerprint {
    struct slice algorithm; /* "sha-256" */
    struct slice value;     /* "AB:CD:..." */
};

/* What may stand in the session, and then counts for every media, or in a media. */
struct sdp_transport {
    struct slice ice_ufrag;
    struct slice ice_pwd;
    struct slice ice_options;
    struct sdp_fingerprint fingerprints[SDP_FINGERPRINTS_MAX];
    uint8_t n_fingerprints;
    enum sdp_setup setup;
};

struct sdp_media {
    enum sdp_kind kind;
    struct slice kind_text; /* "audio", "video", "application", ... */
    struct slice proto;     /* "UDP/TLS/RTP/SAVPF", "RTP/AVP", "UDP/DTLS/SCTP" */
    struct slice formats;   /* the rest of the m= line when it is not a list of payload types */
    struct slice address;   /* of c=, "IN IP4 0.0.0.0" without the prefix's "c="; p NULL: none */
    uint16_t port;
    uint16_t rtcp_port; /* of a=rtcp; 0: none */
    struct slice mid;
    struct slice msid;
    struct sdp_transport transport;
    enum sdp_direction direction;
    bool has_direction;
    bool rtcp_mux;
    bool rtcp_rsize;
    bool bundle_only;
    bool end_of_candidates;
    bool ext_mixed;
    uint16_t sctp_port;         /* 0: none */
    uint32_t max_message_size;  /* 0: none */
    uint32_t bandwidth_as_kbps; /* b=AS; 0: none */
    struct sdp_codec codecs[SDP_CODECS_MAX];
    struct sdp_feedback feedbacks[SDP_FEEDBACKS_MAX];
    struct sdp_ext exts[SDP_EXTS_MAX];
    struct sdp_ssrc ssrcs[SDP_SSRCS_MAX];
    struct sdp_ssrc_group groups[SDP_SSRC_GROUPS_MAX];
    struct sdp_rid rids[SDP_RIDS_MAX];
    struct slice simulcast_send; /* "a;b;c" of a=simulcast; p NULL: none */
    struct slice simulcast_recv;
    struct sdp_candidate candidates[SDP_CANDIDATES_MAX];
    uint8_t n_codecs;
    uint8_t n_feedbacks;
    uint8_t n_exts;
    uint8_t n_ssrcs;
    uint8_t n_groups;
    uint8_t n_rids;
    uint8_t n_candidates;
};

/* About 200 KiB: from an arena, not on the stack. */
struct sdp {
    struct slice origin_user;
    uint64_t session_id;
    uint64_t session_version;
    struct slice origin_address;         /* "IN IP4 127.0.0.1" */
    struct slice name;                   /* s= */
    struct slice address;                /* c=; p NULL: none */
    struct slice bundle[SDP_BUNDLE_MAX]; /* mids of a=group:BUNDLE */
    uint8_t n_bundle;
    bool ice_lite;
    bool ext_mixed;
    struct slice msid_semantic; /* p NULL: none */
    struct sdp_transport transport;
    enum sdp_direction direction; /* for media without their own */
    bool has_direction;
    struct sdp_media media[SDP_MEDIA_MAX];
    uint8_t n_media;
};

/* Unknown lines and attributes are skipped. Lines end in CRLF or LF. On failure *line is the number
 * of the offending line, from 1. ERR_MALFORMED, ERR_RANGE (a number), ERR_TOO_LARGE (a bound
 * above), ERR_TRUNCATED (no v=, o= or s=). */
MUST_CHECK enum err sdp_parse(struct sdp *s, struct slice text, unsigned *line);
/* Canonical order and CRLF; parses back to the same struct. ERR_TOO_LARGE. */
MUST_CHECK enum err sdp_print(const struct sdp *s, struct wr *w);

/* The value of `key` in "a=1;b=2" parameters, case-insensitive key; p NULL: absent. */
struct slice sdp_fmtp_get(struct slice fmtp, const char *key);
/* NULL when there is none. */
const struct sdp_codec *sdp_codec_find(const struct sdp_media *m, uint8_t payload_type);
/* The media's own, or the session's. */
struct slice sdp_ufrag(const struct sdp *s, const struct sdp_media *m);
struct slice sdp_pwd(const struct sdp *s, const struct sdp_media *m);
enum sdp_setup sdp_setup_of(const struct sdp *s, const struct sdp_media *m);
enum sdp_direction sdp_direction_of(const struct sdp *s, const struct sdp_media *m);

/* ---- ffmpeg's input ---- */

struct sdp_rtp_input {
    bool video;
    const char *codec; /* encoding name: "H264", "VP8", "opus", ... */
    uint32_t clock_rate;
    uint8_t channels; /* audio; 0: not written */
    uint8_t payload_type;
    uint16_t port;      /* where ffmpeg listens for RTP */
    uint16_t rtcp_port; /* 0: RTCP comes on the same port, a=rtcp-mux */
    uint32_t ssrc;      /* 0: not written */
    const char *cname;  /* NULL: "weir"; for the ssrc line */
    const char *fmtp;   /* NULL: none */
};

/* One m= section an input, a=recvonly, from ip (a literal; "127.0.0.1"). title is s=, "-" if NULL.
 * ERR_TOO_LARGE; ERR_MALFORMED: ip is no literal, or a text has a control character. */
MUST_CHECK enum err sdp_print_rtp_inputs(struct wr *w, const char *ip, const char *title,
                                         const struct sdp_rtp_input *inputs, size_t n);

#endif
