// A peer that sends one colour and a tone, for hls_modes.test.mjs.
import { Device } from 'mediasoup-client';
import { Signaling } from './page_signaling.js';

/** One colour, drawn anew all the time so that frames come. */
function colourTrack(colour, width, height, rate = 10) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const g = canvas.getContext('2d');
    let n = 0;
    setInterval(() => {
        g.fillStyle = colour;
        g.fillRect(0, 0, width, height);
        g.fillStyle = '#fff';
        g.fillRect(n++ % 8, 0, 2, 2);
    }, 1000 / rate);
    const track = canvas.captureStream(rate).getVideoTracks()[0];
    // Details are sent at their own size from the first picture on; others begin small.
    track.contentHint = 'detail';
    return track;
}

/** A camera in a phone: red above blue, as the sensor sees it, whichever way the phone is held; track.turn(degrees) holds it otherwise. */
function phoneTrack(width, height) {
    const canvas = new OffscreenCanvas(width, height);
    const g = canvas.getContext('2d');
    const track = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = track.writable.getWriter();
    let rotation = 0;
    let n = 0;
    setInterval(() => {
        g.fillStyle = '#e00000';
        g.fillRect(0, 0, width, height / 2);
        g.fillStyle = '#0000e0';
        g.fillRect(0, height / 2, width, height / 2);
        g.fillStyle = '#fff';
        g.fillRect(n++ % 8, 0, 2, 2);
        writer.write(new VideoFrame(canvas, { timestamp: Math.round(performance.now() * 1000), rotation })).catch(() => {});
    }, 50);
    track.turn = (degrees) => { rotation = degrees; };
    track.contentHint = 'detail';
    return track;
}

/** The time as the test card has it in its pixels, for glass.mjs. */
function clockTrack() {
    const canvas = document.createElement('canvas');
    canvas.width = 640;
    canvas.height = 360;
    const g = canvas.getContext('2d');
    setInterval(() => {
        const code = Math.floor(Date.now() / 10) & 0xffff;
        g.fillStyle = '#446';
        g.fillRect(0, 0, 640, 360);
        for (let bit = 0; bit < 16; bit++) {
            g.fillStyle = (code >> (15 - bit)) & 1 ? '#fff' : '#000';
            g.fillRect(352 + bit * 16, 32, 16, 16);
        }
    }, 40);
    return canvas.captureStream(25).getVideoTracks()[0];
}

function toneTrack(hz) {
    const context = new AudioContext();
    const tone = new OscillatorNode(context, { frequency: hz });
    const level = new GainNode(context, { gain: 0.2 });
    const out = new MediaStreamAudioDestinationNode(context);
    tone.connect(level).connect(out);
    tone.start();
    return out.stream.getAudioTracks()[0];
}

export class Client {
    static async join(url, roomId, peerId, displayName, role = 'participant') {
        const c = new Client();
        c.signaling = new Signaling(url);
        await c.signaling.opened;
        const { rtpCapabilities, resumeToken } = await c.signaling.request('joinRoom', { roomId, peerId, displayName, role });
        c.resumeToken = resumeToken;
        c.device = new Device();
        await c.device.load({ routerRtpCapabilities: rtpCapabilities });
        c.send = c.device.createSendTransport(await c.signaling.request('createProducerTransport', {}));
        c.send.on('connect', ({ dtlsParameters }, done, fail) => {
            c.signaling.request('connectProducerTransport', { transportId: c.send.id, dtlsParameters }).then(done, fail);
        });
        c.send.on('produce', ({ kind, rtpParameters, appData }, done, fail) => {
            c.signaling.request('produce', { transportId: c.send.id, kind, rtpParameters, appData }).then(done, fail);
        });
        return c;
    }

    /** mime: video/H264, video/VP8. */
    async show(colour, mime = 'video/VP8', [width, height] = [320, 180], source = 'camera', rate = 10, encodings = undefined) {
        const codec = this.device.rtpCapabilities.codecs.find((c) => c.mimeType === mime);
        const track = colourTrack(colour, width, height, rate);
        const producer = await this.send.produce({ track, codec, encodings, appData: { source }, codecOptions: { videoGoogleStartBitrate: 3000 } });
        this[source] = producer;
        return producer.id;
    }

    /** VP9 as cameras send it: encodings as of produce. Details would be sent without a layer's indices. */
    async vp9(colour, encodings, [width, height] = [640, 360]) {
        const codec = this.device.rtpCapabilities.codecs.find((c) => c.mimeType === 'video/VP9');
        const track = colourTrack(colour, width, height, 25);
        track.contentHint = 'motion';
        await this.send.produce({ track, codec, encodings, codecOptions: { videoGoogleStartBitrate: 3000 } });
    }

    async phone(mime, [width, height] = [320, 180]) {
        const codec = this.device.rtpCapabilities.codecs.find((c) => c.mimeType === mime);
        this.track = phoneTrack(width, height);
        await this.send.produce({ track: this.track, codec, codecOptions: { videoGoogleStartBitrate: 3000 } });
    }

    turn(degrees) { this.track.turn(degrees); }

    async showClock(mime) {
        const codec = this.device.rtpCapabilities.codecs.find((c) => c.mimeType === mime);
        this.camera = await this.send.produce({ track: clockTrack(), codec, encodings: [{ maxBitrate: 1500000 }], appData: { source: 'camera' } });
    }

    async sound(hz) {
        this.microphone = await this.send.produce({ track: toneTrack(hz) });
    }

    async change(source, colour, width, height) {
        await this[source].replaceTrack({ track: colourTrack(colour, width, height) });
    }

    async stop(source) {
        this[source].close();
        await this.signaling.request('closeProducer', { producerId: this[source].id });
    }

    pause(source, paused) { return this.signaling.request(paused ? 'pauseProducer' : 'resumeProducer', { producerId: this[source].id }); }

    request(method, data) { return this.signaling.request(method, data); }

    async leave() {
        await this.signaling.request('leaveRoom', {});
        this.send.close();
    }
}

/** How large a browser shows what is in these bytes (an initialization segment and a segment of H.264). */
export async function shownSize(base64) {
    const video = document.createElement('video');
    const source = new MediaSource();
    video.muted = true;
    video.src = URL.createObjectURL(source);
    await new Promise((done) => { source.onsourceopen = done; });
    const buffer = source.addSourceBuffer('video/mp4; codecs="avc1.42e01f"');
    const size = new Promise((done, fail) => {
        video.onloadedmetadata = () => done(`${video.videoWidth}x${video.videoHeight}`);
        video.onerror = () => fail(new Error(video.error.message));
    });
    buffer.appendBuffer(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    return size;
}
