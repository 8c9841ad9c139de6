import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

/** `npm run dev` and `npm run preview` pass the controller's paths on to it. */
function proxyTo(controller: string) {
  return {
    '/api': controller,
    '/live': controller,
    '^/recordings/[^/]+/.': controller,
    '/producers': controller,
    '/healthz': controller,
    '/ws': { target: controller, ws: true },
  };
}

export default defineConfig(({ mode }) => {
  const proxy = proxyTo(loadEnv(mode, '.', 'WEIR_').WEIR_URL ?? 'http://127.0.0.1:8080');
  return {
    plugins: [react()],
    build: {
      outDir: 'dist',
      assetsDir: 'assets',
      target: 'es2022',
      // The polyfill is an inline script, which the server's content security policy forbids.
      modulePreload: { polyfill: false },
      // A data: URL in CSS or HTML would need a wider policy, and saves one small request only.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 700,
    },
    server: { proxy },
    preview: { proxy },
  };
});
