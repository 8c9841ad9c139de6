"""A WHIP broadcaster or WHEP player on aiortc: whip_aiortc.py publish|play URL [KEY]. Tells what it has as lines of JSON,
until its standard input ends; then it ends its session."""
import asyncio
import json
import sys
import urllib.request
from urllib.parse import urljoin

import numpy
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from av import VideoFrame

counts = {"audio": 0, "video": 0, "width": 0}


def say(**what):
    print(json.dumps(what), flush=True)


class Bar(VideoStreamTrack):
    """A white bar that moves."""
    n = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        picture = numpy.zeros((360, 640, 3), dtype=numpy.uint8)
        self.n = (self.n + 12) % 560
        picture[:, self.n:self.n + 80] = 255
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


def request(method, url, body=None, headers=None):
    r = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    with urllib.request.urlopen(r, timeout=10) as answer:
        return answer.status, answer.headers.get("Location"), answer.read().decode()


async def count(track):
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        counts[track.kind] += 1
        if track.kind == "video":
            counts["width"] = frame.width


async def main(use, url, key):
    pc = RTCPeerConnection()
    if use == "publish":
        pc.addTransceiver(AudioStreamTrack(), "sendonly")
        pc.addTransceiver(Bar(), "sendonly")
    else:
        pc.addTransceiver("audio", "recvonly")
        pc.addTransceiver("video", "recvonly")
        pc.on("track", lambda track: asyncio.ensure_future(count(track)))
    pc.on("connectionstatechange", lambda: say(state=pc.connectionState))
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"Content-Type": "application/sdp"}
    if key:
        headers["Authorization"] = "Bearer " + key
    loop = asyncio.get_event_loop()
    status, location, answer = await loop.run_in_executor(
        None, request, "POST", url, pc.localDescription.sdp.encode(), headers)
    say(status=status, location=location)
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    over = loop.run_in_executor(None, sys.stdin.read)
    while not over.done():
        await asyncio.wait([over], timeout=0.25)
        say(**counts)
    status, _, _ = await loop.run_in_executor(None, request, "DELETE", urljoin(url, location))
    say(deleted=status)
    await pc.close()


asyncio.get_event_loop().run_until_complete(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None))
