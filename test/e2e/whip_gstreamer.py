"""A WHIP broadcaster or WHEP player on GStreamer's webrtcbin: whip_gstreamer.py publish|play URL [KEY]. As whip_aiortc.py."""
import json
import sys
import threading
import urllib.request
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SEND = """webrtcbin name=w bundle-policy=max-bundle
 audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=111 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! w.
 videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 ! x264enc tune=zerolatency
  speed-preset=ultrafast bitrate=600 key-int-max=50 ! video/x-h264,profile=constrained-baseline
  ! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency
  ! application/x-rtp,media=video,encoding-name=H264,payload=96,packetization-mode=(string)1 ! w."""
RECEIVE = ["application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2",
           "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,packetization-mode=(string)1,"
           "profile-level-id=(string)42e01f"]
PLAY = "webrtcbin name=w bundle-policy=max-bundle fakesink async=false"
# Debian's free decoder of H.264 is a stub: whole pictures with their size are what counts.
DECODE = {"OPUS": "rtpopusdepay ! opusdec ! fakesink name=s signal-handoffs=true sync=false async=false",
          "H264": "rtph264depay ! h264parse ! video/x-h264,alignment=au ! fakesink name=s signal-handoffs=true sync=false async=false"}
counts = {"audio": 0, "video": 0, "width": 0}


def say(**what):
    print(json.dumps(what), flush=True)


def request(method, url, body=None, headers=None):
    r = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    with urllib.request.urlopen(r, timeout=10) as answer:
        return answer.status, answer.headers.get("Location"), answer.read()


class Client:
    def __init__(self, use, url, key):
        self.url, self.key, self.location = url, key, None
        self.kept = []  # what GStreamer's bindings would free too early
        self.pipe = Gst.parse_launch(SEND if use == "publish" else PLAY)
        self.webrtc = self.pipe.get_by_name("w")
        self.webrtc.connect("on-negotiation-needed", self.negotiate)
        self.webrtc.connect("notify::ice-gathering-state", self.gathered)
        self.webrtc.connect("notify::connection-state",
                            lambda w, _: say(state=w.get_property("connection-state").value_nick))
        if use == "play":
            self.webrtc.connect("pad-added", self.added)
            for caps in RECEIVE:
                self.webrtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
                                 Gst.Caps.from_string(caps))
        self.pipe.set_state(Gst.State.PLAYING)

    def negotiate(self, webrtc):
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered, None))

    def offered(self, promise, *_):
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        done = Gst.Promise.new()
        self.kept += [promise, reply, offer, done]
        self.webrtc.emit("set-local-description", offer, done)
        done.interrupt()

    def gathered(self, webrtc, _):
        if webrtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE or self.location:
            return
        headers = {"Content-Type": "application/sdp"}
        if self.key:
            headers["Authorization"] = "Bearer " + self.key
        sdp = webrtc.get_property("local-description").sdp.as_text()
        status, self.location, body = request("POST", self.url, sdp.encode(), headers)
        say(status=status, location=self.location)
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(body, message)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        done = Gst.Promise.new()
        self.kept += [message, answer, done]
        webrtc.emit("set-remote-description", answer, done)
        done.interrupt()

    def added(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        name = pad.get_current_caps().get_structure(0).get_string("encoding-name")
        sink = Gst.parse_bin_from_description(DECODE[name], True)
        self.pipe.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))
        sink.get_by_name("s").connect("handoff", self.frame, "video" if name == "H264" else "audio")

    @staticmethod
    def frame(_, __, pad, kind):
        counts[kind] += 1
        if kind == "video":
            counts["width"] = pad.get_current_caps().get_structure(0).get_int("width")[1]


def main(use, url, key):
    Gst.init(None)
    loop = GLib.MainLoop()
    client = Client(use, url, key)
    GLib.timeout_add(250, lambda: say(**counts) or True)
    threading.Thread(target=lambda: (sys.stdin.read(), GLib.idle_add(loop.quit)), daemon=True).start()
    loop.run()
    if client.location:
        say(deleted=request("DELETE", urljoin(url, client.location))[0])
    client.pipe.set_state(Gst.State.NULL)


main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
