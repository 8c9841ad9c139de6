// The pages of app.test.mjs: mediasoup-client as an application uses it. callServer is the test's.
import { Device } from 'mediasoup-client';

const { callServer } = globalThis;
const device = new Device();

async function open(direction) {
    if (!device.loaded) await device.load({ routerRtpCapabilities: await callServer('capabilities', {}) });
    const options = await callServer('createTransport', { direction });
    const create = direction === 'send' ? 'createSendTransport' : 'createRecvTransport';
    const transport = device[create](options);
    const id = transport.id;
    transport.on('connect', ({ dtlsParameters }, done, failed) =>
        callServer('connect', { id, dtlsParameters }).then(done, failed));
    transport.on('produce', ({ kind, rtpParameters }, done, failed) =>
        callServer('produce', { id, kind, rtpParameters }).then(done, failed));
    transport.on('producedata', (parameters, done, failed) =>
        callServer('produceData', { id, ...parameters }).then(done, failed));
    return transport;
}

// A camera, a microphone, and a data channel that counts.
globalThis.publish = async (encodings) => {
    const transport = await open('send');
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } });
    await transport.produce({ track: stream.getAudioTracks()[0] });
    await transport.produce({ track: stream.getVideoTracks()[0], encodings });
    const data = await transport.produceData({ label: 'count' });
    let n = 0;
    setInterval(() => {
        if (data.readyState === 'open') data.send(`message ${++n}`);
    }, 50);
};

globalThis.messages = [];
globalThis.watch = async () => {
    const transport = await open('recv');
    const { consumers, dataConsumers } = await callServer('consume', {
        id: transport.id, rtpCapabilities: device.rtpCapabilities,
    });
    const stream = new MediaStream();
    for (const options of consumers) {
        const consumer = await transport.consume(options);
        stream.addTrack(consumer.track);
        if (consumer.kind === 'video') globalThis.videoConsumer = consumer;
        await callServer('resume', { id: consumer.id });
    }
    const video = document.querySelector('video');
    video.srcObject = stream;
    await video.play();
    for (const options of dataConsumers) {
        const consumer = await transport.consumeData(options);
        consumer.on('message', (text) => globalThis.messages.push(text));
    }
};

globalThis.framesDecoded = async () => {
    const stats = await globalThis.videoConsumer.getStats();
    return [...stats.values()].find((s) => s.type === 'inbound-rtp')?.framesDecoded ?? 0;
};
