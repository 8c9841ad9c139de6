// Real browsers for tests: headless Chromium with fake camera and microphone.
import { chromium } from 'playwright-core';
import { until } from './service.mjs';

const flags = [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required', '--auto-select-desktop-capture-source=Entire screen',
];

export function launch(extra = []) {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        headless: true,
        args: [...flags, ...extra],
        ignoreDefaultArgs: ['--headless=old', '--mute-audio'],
    });
}

/** Ports of the candidates that the service offered, the newest last: they tell which worker has the page's transports. */
function notePorts(page) {
    page.ports = [];
    page.on('websocket', (ws) => ws.on('framereceived', ({ payload }) => {
        const port = /"iceCandidates":\[\{[^}]*"port":(\d+)/.exec(String(payload))?.[1];
        if (port) page.ports.push(Number(port));
    }));
}

/** A page in a context of its own; collects what its console says of errors. */
export async function open(browser, url, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    await context.grantPermissions(['camera', 'microphone']).catch(() => {});
    const page = await context.newPage();
    page.problems = [];
    notePorts(page);
    page.on('console', (m) => { if (m.type() === 'error') page.problems.push(m.text()); });
    page.on('pageerror', (e) => page.problems.push(String(e)));
    await page.goto(url);
    return page;
}

/** What the page receives over WebRTC, from the app's own window.__weir. */
export function inbound(page) {
    return page.evaluate(async () => {
        const video = await globalThis.__weir?.getStats();
        const audio = await globalThis.__weir?.getAudioStats();
        return {
            mode: globalThis.__weir?.mode(),
            framesDecoded: video?.framesDecoded ?? 0,
            audioPackets: audio?.packetsReceived ?? 0,
            audioSamples: audio?.totalSamplesReceived ?? 0,
            audioConcealed: audio?.concealedSamples ?? 0,
            audioEnergy: audio?.totalAudioEnergy ?? 0,
        };
    });
}

/** What a video element shows: mean brightness and its spread, from 32x18 samples. */
export function picture(page, selector) {
    return page.evaluate((sel) => {
        const v = document.querySelector(sel);
        if (!v || v.readyState < 2 || v.videoWidth === 0) return null;
        const c = document.createElement('canvas');
        c.width = 32;
        c.height = 18;
        const g = c.getContext('2d', { willReadFrequently: true });
        g.drawImage(v, 0, 0, 32, 18);
        const { data } = g.getImageData(0, 0, 32, 18);
        const grey = [];
        for (let i = 0; i < data.length; i += 4) grey.push((data[i] + data[i + 1] + data[i + 2]) / 3);
        const mean = grey.reduce((a, b) => a + b, 0) / grey.length;
        const spread = Math.sqrt(grey.reduce((a, b) => a + (b - mean) ** 2, 0) / grey.length);
        return { mean, spread, time: v.currentTime, width: v.videoWidth, height: v.videoHeight, pixels: [...data] };
    }, selector);
}

/** Waits until the picture is there, is not one flat colour, and moves. */
export async function moving(page, selector, ms) {
    let before = null;
    return until(`a moving picture in ${selector}`, ms, async () => {
        const now = await picture(page, selector);
        if (!now || now.spread < 5) return false;
        const moved = before && now.time > before.time && now.pixels.some((p, i) => Math.abs(p - before.pixels[i]) > 8);
        before = now;
        return moved ? now : false;
    }, 100);
}

/** A studio page that is live; fields as a person would fill them. */
export async function goLive(browser, service, roomId, title = 'A test', options = {}) {
    const page = await open(browser, `${service.url}/studio`, options);
    await page.getByTestId('title-input').fill(title);
    await page.getByTestId('room-input').fill(roomId);
    if (options.codec) await page.getByLabel('Video codec').selectOption(options.codec);
    await page.getByTestId('go-live').click();
    await page.getByTestId('live-badge').waitFor({ timeout: 10000 });
    return page;
}
