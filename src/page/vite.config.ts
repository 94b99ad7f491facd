// How the page is built: `scripts/lib/page.mjs` runs it, into dist/page, whence the server serves it.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL('../../dist/page', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    // The server's policy takes images and fonts as data, but everything else as files of its own.
    assetsInlineLimit: 2048,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  // `npx vite --config src/page/vite.config.ts` beside a running server, for who works on the page.
  server: {
    proxy: { '/graphql': { target: 'http://127.0.0.1:4000', ws: true }, '/session': 'http://127.0.0.1:4000' },
  },
});
