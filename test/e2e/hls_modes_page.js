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
    async show(colour, mime = 'video/VP8', [width, height] = [320, 180], source = 'camera', rate = 10) {
        const codec = this.device.rtpCapabilities.codecs.find((c) => c.mimeType === mime);
        const track = colourTrack(colour, width, height, rate);
        const producer = await this.send.produce({ track, codec, appData: { source }, codecOptions: { videoGoogleStartBitrate: 3000 } });
        this[source] = producer;
        return producer.id;
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
