// Scripts for pages of tests: with mediasoup-client, as the web app has it.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { open } from './browser.mjs';

const here = import.meta.dirname ?? resolve(new URL('.', import.meta.url).pathname);
const web = resolve(here, '../../web');

/** A file of this folder and what it imports, as one script that sets globalThis.page to its exports. */
export async function bundle(file) {
    const require = createRequire(join(web, 'package.json'));
    const { rolldown } = await import(pathToFileURL(require.resolve('rolldown')));
    const build = await rolldown({ input: join(here, file), resolve: { modules: [join(web, 'node_modules')] }, logLevel: 'silent' });
    const { output } = await build.generate({ format: 'iife', name: 'page' });
    await build.close();
    return `${output[0].code};globalThis.page = page;`;
}

/** A page of the service's origin, without the app, in which a script of this folder runs. */
export async function openBundled(browser, service, name) {
    const page = await open(browser, `${service.url}/healthz`, { bypassCSP: true });
    await page.addScriptTag({ content: await bundle(name) });
    return page;
}
