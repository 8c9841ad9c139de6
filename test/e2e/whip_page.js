// A broadcaster and a player that speak WHIP and WHEP with the browser's own RTCPeerConnection, as a person would write them.
globalThis.whip = {
    /** A picture that moves, and a tone. */
    source(width = 640, height = 360) {
        const canvas = document.createElement('canvas');
        Object.assign(canvas, { width, height });
        const g = canvas.getContext('2d');
        let n = 0;
        setInterval(() => {
            n++;
            g.fillStyle = `hsl(${(n * 7) % 360} 80% 50%)`;
            g.fillRect(0, 0, width, height);
            g.fillStyle = '#fff';
            g.fillRect((n * 11) % width, 0, 60, height);
        }, 40);
        const audio = new AudioContext();
        const tone = audio.createOscillator();
        const out = audio.createMediaStreamDestination();
        tone.connect(out);
        tone.start();
        return [canvas.captureStream(25).getVideoTracks()[0], out.stream.getAudioTracks()[0]];
    },

    /** Prefers a codec where it is named ("video/H264"), and of H.264 the profile that is taken. */
    prefer(transceiver, mimeType) {
        if (!mimeType) return;
        const all = RTCRtpSender.getCapabilities('video').codecs;
        const fits = (c) => c.mimeType === mimeType && (mimeType !== 'video/H264' || /packetization-mode=1.*42e01f|42e01f.*packetization-mode=1/.test(c.sdpFmtpLine));
        transceiver.setCodecPreferences([...all.filter(fits), ...all.filter((c) => c.mimeType === 'video/rtx')]);
    },

    async gathered(pc) {
        await pc.setLocalDescription();
        if (pc.iceGatheringState !== 'complete') {
            await new Promise((done) => pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && done()));
        }
    },

    async offer(pc, url, headers = {}) {
        await this.gathered(pc);
        const r = await fetch(url, { method: 'POST', body: pc.localDescription.sdp, headers: { 'Content-Type': 'application/sdp', ...headers } });
        const text = await r.text();
        if (r.status !== 201) throw new Error(`${r.status} ${text}`);
        this.session = new URL(r.headers.get('location'), url).href;
        this.etag = r.headers.get('etag');
        this.link = r.headers.get('link');
        this.answer = text;
        await pc.setRemoteDescription({ type: 'answer', sdp: text });
        return { session: this.session, etag: this.etag, link: this.link, answer: text };
    },

    async publish(url, key, { codec, simulcast } = {}) {
        const pc = this.pc = new RTCPeerConnection();
        const [video, audio] = this.source(simulcast ? 960 : 640, simulcast ? 540 : 360);
        pc.addTransceiver(audio, { direction: 'sendonly' });
        const sendEncodings = simulcast && ['q', 'h', 'f'].map((rid, i) => ({ rid, scaleResolutionDownBy: 4 >> i, maxBitrate: [100000, 400000, 1000000][i] }));
        this.prefer(pc.addTransceiver(video, { direction: 'sendonly', ...(sendEncodings && { sendEncodings }) }), codec);
        return this.offer(pc, url, key && { Authorization: `Bearer ${key}` });
    },

    async play(url) {
        const pc = this.pc = new RTCPeerConnection();
        const stream = new MediaStream();
        pc.ontrack = ({ track }) => stream.addTrack(track);
        pc.addTransceiver('audio', { direction: 'recvonly' });
        pc.addTransceiver('video', { direction: 'recvonly' });
        const answer = await this.offer(pc, url);
        const v = document.createElement('video');
        Object.assign(v, { id: 'player', autoplay: true, muted: true, srcObject: stream });
        document.body.replaceChildren(v);
        return answer;
    },

    /** A restart of ICE over PATCH: the credentials of a new offer go, those that come are put into the answer. */
    async restart(match = '"*"') {
        const { pc } = this;
        await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
        const line = (name) => new RegExp(`a=${name}:(.*)`).exec(pc.localDescription.sdp)[1].trim();
        const body = `a=ice-ufrag:${line('ice-ufrag')}\r\na=ice-pwd:${line('ice-pwd')}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:${line('mid')}\r\n`;
        const r = await fetch(this.session, { method: 'PATCH', body, headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': match } });
        const text = await r.text();
        if (r.status !== 200) throw new Error(`${r.status} ${text}`);
        const given = (name) => new RegExp(`a=${name}:(.*)`).exec(text)[1].trim();
        const before = this.etag;
        this.etag = r.headers.get('etag');
        const sdp = this.answer.replace(/a=ice-ufrag:.*/g, `a=ice-ufrag:${given('ice-ufrag')}`).replace(/a=ice-pwd:.*/g, `a=ice-pwd:${given('ice-pwd')}`);
        await pc.setRemoteDescription({ type: 'answer', sdp });
        return { changed: this.etag !== before, ufrag: given('ice-ufrag') };
    },

    async end() {
        const r = await fetch(this.session, { method: 'DELETE' });
        this.pc.close();
        return r.status;
    },

    /** What arrives now. */
    async received() {
        const out = {};
        for (const s of (await this.pc.getStats()).values()) {
            if (s.type !== 'inbound-rtp') continue;
            out[s.kind] = { packets: s.packetsReceived, frames: s.framesDecoded ?? 0, bytes: s.bytesReceived, width: s.frameWidth, rtx: s.retransmittedPacketsReceived ?? 0 };
        }
        return out;
    },
};
