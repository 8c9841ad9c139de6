/* The inside of a pipeline. Private to pipeline*.c.
 *
 * pipeline.c holds what outlives a run: changes, timers, restarts, the playlist.
 * pipeline_source.c looks at how large the source is and which way up.
 * pipeline_media.c takes what encoders write to the presentation.
 * pipeline_input.c prepares what comes in.
 * pipeline_run.c takes one run through its steps and gives everything back.
 * pipeline_watch.c looks after a run whose media flows. */
#ifndef WEIR_CONTROLLER_LIVE_PIPELINE_STATE_H
#define WEIR_CONTROLLER_LIVE_PIPELINE_STATE_H

#include "common/arena.h"
#include "controller/live/hls_folder.h"
#include "controller/live/pipeline.h"

enum {
    /* A stream begins with one producer; the other kind's follows within a round trip or two. */
    SETTLE_ALONE_MS = 400,
    SETTLE_MS = 30,
    /* The first key frame says how large a ladder can be; it comes with the first packets. */
    SIZE_LIMIT_MS = 700,
    /* Browsers begin small and grow in steps; one run is for where that ended. */
    GROW_MS = 5000,
    /* The first runs after one another begin at once, then later and later. */
    QUICK_RUNS = 3,
    BACKOFF_FIRST_MS = 500,
    BACKOFF_MAX_MS = 5000,
    /* A run that lives so long shows that the machine keeps up. */
    STABLE_MS = 10 * 1000,
    STEP_LIMIT_MS = 5000,   /* the worker's answers to one step */
    LAUNCH_LIMIT_MS = 8000, /* until ffmpeg's ports are bound; 30 to 80 ms on an idle machine */
    KEY_ASK_MS = 250,       /* between two requests for the same key frame */
    PRIME_LIMIT_MS = 8000,  /* until the first segment; then another run is tried */
    STALL_MIN_MS = 3000,    /* without a new segment */
    HANG_MS = 1200,         /* without a byte from ffmpeg, while its sockets fill */
    HANGS_COUNTED = 3,      /* times, at most, by which that is made longer */
    HELD_MS = 400,          /* without a byte from ffmpeg, until its state is looked at */
    LOOK_AGAIN_MS = 200,    /* between two looks */
    GRACE_CHANGE_MS = 300,  /* for ffmpeg to finish its last segment */
    GRACE_END_MS = 700,
    LOG_AGAIN_MS = 60 * 1000, /* the same trouble */
    KEY_LATE_MS = 50,         /* how late a key frame may be that comes by itself */
    PARAMETERS_BYTES_MAX = 256 * 1024
};

struct run_input {
    struct run *run; /* parent, outlives us */
    enum media_kind kind;
    uint16_t port;           /* reserved; 0: none */
    struct rtp_relay *relay; /* owned; ffmpeg cannot take it as it comes; NULL: it can */
    char transport_id[LIVE_ID_LEN];
    char consumer_id[LIVE_ID_LEN];
    bool transport_asked;             /* so it has to be closed */
    struct rtp_parameters consumable; /* in the run's arena */
    struct rtp_parameters params;     /* of the consumer, likewise */
    struct fleet_listener listener;
    bool resumed; /* media may flow to ffmpeg */
    /* The first key frame of the run, which is its time zero. */
    bool has_first;
    uint32_t first_rtp;
    usec first_arrival; /* wall clock */
    /* Key frames towards ffmpeg, by the worker's trace. */
    uint64_t key_came_ms; /* 0: none yet */
    uint64_t key_cut_ms;  /* the one with which the newest segment began */
    uint64_t key_asked_ms;
};

struct run {
    struct pipeline *pipeline; /* parent, outlives us */
    struct plan plan;
    bool worker_gone; /* nothing to close there */
    struct arena arena;
    struct run_input inputs[LIVE_INPUTS_MAX]; /* as the plan's */
    size_t tracks[PIPELINE_OUTPUTS_MAX];      /* of the presentation, by output */
    bool knew_size;                           /* when it began */
    bool names;                               /* are drawn */
    struct ffmpeg *ffmpeg;                    /* ref; NULL: not running */
    char prefix[PLAYLIST_NAME_MAX / 2];
    unsigned pending;    /* answers of this step that are still to come */
    uint64_t step_ms;    /* when this state began */
    uint64_t segment_ms; /* when the newest segment came */
    uint64_t output_ms;  /* when the leading output wrote last; 0: not yet */
    unsigned segments;
    usec wall_offset; /* wall clock - ffmpeg's clock */
};

struct pipeline {
    struct pipeline_config config;
    char room_id[80];
    struct hls_folder folder;              /* of MPEG-TS */
    struct presentation *presentation;     /* owned; of fragmented MP4; NULL: none yet */
    struct presentation_observer observer; /* of it */
    uint64_t discontinuity;                /* number of its newest segment */
    usec longest;                          /* segment so far */
    enum pipeline_state state;
    struct run *run; /* owned; NULL in IDLE, WAITING, ENDED */
    unsigned runs;
    unsigned hurry;       /* runs since one had a segment */
    unsigned hangs;       /* runs ended since one was stable, for what they did not read */
    uint64_t start_ms;    /* WAITING: when the run begins */
    uint64_t size_ms;     /* WAITING: until then it waits for the source's size */
    uint64_t grow_ms;     /* when a run for the source's new size begins; 0: it fits */
    unsigned grown_width; /* the size that it grew to */
    unsigned grown_height;
    bool dirty;    /* PRIMING: something was added; another run follows this one */
    bool no_names; /* drawing them failed: no font */
    bool had_video;
    unsigned rotation; /* of what passes through: clockwise degrees */
    bool had_segment;
    bool playable; /* told */
    bool ending;
    enum pipeline_reason logged; /* the trouble that was told last */
    uint64_t logged_ms;          /* 0: none */
};

/* ---- pipeline.c ---- */
void pipeline_set_state(struct pipeline *p, enum pipeline_state s);
void pipeline_arm(struct pipeline *p, uint64_t at_ms);
/* Ends the run because of something that should not be; another follows. */
void pipeline_fail(struct pipeline *p, enum pipeline_reason reason, const char *why);
/* The source became larger, and has been so for a while: the next run's sizes fit it. */
void pipeline_grow(struct pipeline *p);
/* A new segment may be played. */
void pipeline_advanced(struct pipeline *p, usec duration, bool playable);
void pipeline_restart_if_dirty(struct pipeline *p);
/* A segment is on disk. */
void pipeline_on_segment(struct pipeline *p, const char *name, usec start, usec end);
/* The run's last step of cleaning is done; it is freed in here. */
void pipeline_on_cleaned(struct pipeline *p);

/* ---- pipeline_source.c ---- */
/* The picture that a ladder is made of; NULL: there is none, or no ladder. */
const struct live_track *pipeline_measured(const struct pipeline *p, const struct live_source *s);
/* Its size is not known yet, and is about to be. */
bool pipeline_lacks_size(const struct pipeline *p, const struct live_source *s);
/* The largest that it was counts: who plays a size is not to lose it when the source becomes
 * smaller for a while. t NULL: none. */
void pipeline_learn_size(struct encoding *e, const struct live_track *t);
/* Whether another run would make other sizes of it; sets p->grow_ms. */
bool pipeline_look_at_size(struct pipeline *p, const struct live_source *s);
/* What passes through is turned by who plays it. */
void pipeline_tell_rotation(struct pipeline *p, const struct live_source *s);

/* ---- pipeline_media.c ---- */
/* The run's media begins: its tracks. ERR_NOMEM, or what publish says. */
MUST_CHECK enum err pipeline_begin_media(struct pipeline *p, struct run *r);
/* A piece of output i of the run. */
void pipeline_on_output(struct pipeline *p, size_t output, const void *bytes, size_t n);
/* The run's media ends. */
void pipeline_end_media(struct pipeline *p);
void pipeline_drop_presentation(struct pipeline *p);

/* ---- pipeline_watch.c ---- */
/* What is due in PRIMING and ACTIVE: key frames, limits; arms the timer for what is next. */
void run_prime(struct run *r, uint64_t now);
void run_watch(struct run *r, uint64_t now);
/* A key frame goes to ffmpeg. */
void run_note_key_frame(struct run_input *in, uint64_t now);

/* ---- pipeline_input.c ---- */
/* Ids, parameters, a pair of ports, and a relay where ffmpeg needs one; the run gives back what
 * there is. ERR_FULL: no ports are free; ERR_NOMEM, ERR_IO, or what ortc_consumer says. */
MUST_CHECK enum err run_input_prepare(struct run *r, struct run_input *t,
                                      const struct live_track *from);
bool run_input_is_vp9(const struct run_input *t);

/* ---- pipeline_run.c ---- */
/* Takes the first step of a run; p->state says how far it got. */
void run_begin(struct pipeline *p, const struct plan *plan, const struct live_source *source);
/* Stops what runs and gives everything back; pipeline_on_cleaned follows, perhaps from inside. */
void run_clean(struct run *r, unsigned grace_ms);
void run_free(struct run *r);
/* The timer of states that wait for others; what is next is armed in here. */
void run_on_timer(struct run *r, uint64_t now);
/* A segment begins soon: what it is to be called in wall-clock time. */
void run_set_wall(struct run *r);
/* Asks for a key frame of a picture's producer. */
void run_ask_key_frame(struct run *r, struct run_input *in, uint64_t now);

static inline uint64_t pipeline_now(const struct pipeline *p)
{
    return p->config.env.now_ms(p->config.env.ctx);
}

#endif
