#include "controller/live/testcard_command.h"

#define TESTCARD_CNAME "test-card"

enum { VIDEO_PAYLOAD_TYPE = 101, AUDIO_PAYLOAD_TYPE = 111, FPS = 25 };

/* 640x360: a slow dark gradient, the clock, a bar that crosses the picture with each beep, the
 * colours below, and the time once more for programs. */
#define GRADIENT                                                                                   \
    "gradients=s=640x360:r=25:n=4:speed=0.008:seed=7:x0=0:y0=0:x1=640:y1=360:"                     \
    "c0=0x0b132b:c1=0x1c2541:c2=0x3a506b:c3=0x14213d"
#define PLAIN "testsrc2=s=640x360:r=25"
#define BAR "color=c=0x5bc0be:s=96x6:r=25"
#define TEXTS                                                                                      \
    "drawtext=font='Sans Bold':text='Weir':x=40:y=44:fontsize=54:fontcolor=white,"                 \
    "drawtext=font=Sans:text='Test card':x=42:y=104:fontsize=22:fontcolor=0x9fb3c8,"               \
    "drawtext=font='Sans Bold':text='%{gmtime\\:%T}':x=(w-tw)/2:y=160:fontsize=76:"                \
    "fontcolor=white,"                                                                             \
    "drawtext=font=Sans:text='UTC  ·  frame %{n}':x=(w-tw)/2:y=244:fontsize=18:"                  \
    "fontcolor=0x9fb3c8,"
#define BOX(i, color) "drawbox=x=" #i "*80:y=306:w=80:h=54:color=" color ":t=fill"
#define COLOURS                                                                                    \
    BOX(0, "0xffffff")                                                                             \
    "," BOX(1, "0xf2d544") "," BOX(2, "0x3ec6d3") "," BOX(3, "0x4bbf6b") "," BOX(                  \
        4, "0xc45bc0") "," BOX(5, "0xd9534f") "," BOX(6, "0x3f63c8") "," BOX(7, "0x202020")
#define SWEEP "[bg];[bg][1]overlay=x='-96+736*mod(t,1)':y=292:shortest=1,format=yuv420p,"
/* The time of the picture for programs: hundredths of a second since 1970, the lower 16 bits, as
 * squares of 16 pixels on the grid of macroblocks: white is 1, the highest bit on the left. Time
 * stamps are the wall clock while they are drawn. */
#define BIT(k, x)                                                                                  \
    ",drawbox=x=" #x ":y=32:w=16:h=16:color=white:t=fill:enable='bitand(floor(t*100/" #k "),1)'"
#define CODE                                                                                       \
    "settb=1/1000000,setpts=RTCTIME,drawbox=x=352:y=32:w=256:h=16:color=black:t=fill" BIT(         \
        32768, 352) BIT(16384, 368) BIT(8192, 384) BIT(4096, 400) BIT(2048, 416) BIT(1024, 432)    \
        BIT(512, 448) BIT(256, 464) BIT(128, 480) BIT(64, 496) BIT(32, 512) BIT(16, 528)           \
            BIT(8, 544) BIT(4, 560) BIT(2, 576) BIT(1, 592) ",setpts=N/(25*TB)[v]"
/* A soft ping, -20 dBFS at its start. */
#define BEEP "aevalsrc=0.1*sin(2*PI*660*t)*exp(-12*mod(t\\,1)):s=48000"

static void add_target(struct command *c, const struct testcard_target *t, int payload_type)
{
    command_opt(c, "-ssrc", "%u", t->ssrc);
    command_opt(c, "-payload_type", "%d", payload_type);
    command_add(c, "-cname", TESTCARD_CNAME, "-f", "rtp", NULL);
    /* connect: a port that is closed is an error, so that it ends when nobody listens any more. */
    command_arg(c, "rtp://127.0.0.1:%u?rtcpport=%u&pkt_size=1200&connect=1", t->port, t->rtcp_port);
}

void testcard_command(struct command *c, const struct testcard_target targets[2], bool plain)
{
    command_add(c, "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-re",
                "-f", "lavfi", "-i", plain ? PLAIN : GRADIENT, "-f", "lavfi", "-i", BAR, "-re",
                "-f", "lavfi", "-i", BEEP, "-filter_complex",
                plain ? "[0]" COLOURS SWEEP CODE : "[0]" TEXTS COLOURS SWEEP CODE, NULL);
    /* ffmpeg does not answer requests for key frames, so it sends one each second. */
    command_add(c, "-map", "[v]", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8",
                "-threads", "1", "-b:v", "900k", "-maxrate", "1200k", "-bufsize", "900k",
                "-lag-in-frames", "0", "-auto-alt-ref", "0", NULL);
    command_opt(c, "-g", "%d", FPS);
    add_target(c, &targets[MEDIA_KIND_VIDEO], VIDEO_PAYLOAD_TYPE);
    command_add(c, "-map", "2:a", "-c:a", "libopus", "-b:a", "64k", "-ac", "2", "-ar", "48000",
                NULL);
    add_target(c, &targets[MEDIA_KIND_AUDIO], AUDIO_PAYLOAD_TYPE);
}

enum err testcard_parameters(enum media_kind kind, uint32_t ssrc, struct arena *arena,
                             struct rtp_parameters *out)
{
    struct rtp_codec_parameters *codec = arena_alloc(arena, sizeof *codec);
    struct rtp_encoding_parameters *encoding = arena_alloc(arena, sizeof *encoding);
    struct rtcp_parameters *rtcp = arena_alloc(arena, sizeof *rtcp);
    if (!codec || !encoding || !rtcp)
        return ERR_NOMEM;
    bool video = kind == MEDIA_KIND_VIDEO;
    *codec = (struct rtp_codec_parameters){.mime_type = video ? "video/VP8" : "audio/opus",
                                           .payload_type =
                                               video ? VIDEO_PAYLOAD_TYPE : AUDIO_PAYLOAD_TYPE,
                                           .has_payload_type = true,
                                           .clock_rate = video ? 90000 : 48000,
                                           .has_clock_rate = true,
                                           .channels = 2,
                                           .has_channels = !video};
    *encoding = (struct rtp_encoding_parameters){.ssrc = ssrc, .has_ssrc = true};
    *rtcp = (struct rtcp_parameters){
        .cname = TESTCARD_CNAME, .reduced_size = false, .has_reduced_size = true};
    *out = (struct rtp_parameters){
        .codecs = codec, .n_codecs = 1, .encodings = encoding, .n_encodings = 1, .rtcp = rtcp};
    return OK;
}
