// Reads the time out of the test card's pixels (controller/live/testcard_command.c: 16 squares of 16 pixels at 352,32 of
// 640x360, hundredths of a second, the highest bit first), as a browser shows it. Runs in the page.

/** In the page: samples each shown frame of the first <video> into window.__glass. */
export function watchGlass() {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = 256;
    canvas.height = 16;
    const g = canvas.getContext('2d', { willReadFrequently: true });
    const glass = { delays: [], unreadable: 0, stalls: [], longestGap: 0 };
    window.__glass = glass;
    let last = performance.now();
    video.addEventListener('waiting', () => glass.stalls.push(Math.round(performance.now())));
    const onFrame = () => {
        const now = Math.floor(Date.now() / 10);
        glass.longestGap = Math.max(glass.longestGap, performance.now() - last);
        last = performance.now();
        const scale = video.videoWidth / 640;
        g.drawImage(video, 352 * scale, 32 * scale, 256 * scale, 16 * scale, 0, 0, 256, 16);
        const { data } = g.getImageData(0, 8, 256, 1);
        let code = 0;
        let clear = true;
        for (let bit = 0; bit < 16; bit++) {
            const level = data[(bit * 16 + 8) * 4 + 1];
            if (level > 80 && level < 176) clear = false;
            code = code * 2 + (level >= 128 ? 1 : 0);
        }
        if (clear) glass.delays.push([Math.round(last), ((now - code) & 0xffff) / 100]);
        else glass.unreadable++;
        video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
}

/** Share p of the sorted values. */
export function quantile(values, p) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
}
