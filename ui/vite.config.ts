import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  clearScreen: false,
  // Relative addresses: the same files are served by the window and by the bridge.
  base: './',
  server: { host: '127.0.0.1', port: 5187, strictPort: true },
  build: {
    target: 'safari16',
    outDir: 'dist',
    // Nothing is inlined as data: the content security policy allows own files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'node',
    setupFiles: ['./vitest.setup.ts'],
    include: ['src/**/*.test.ts'],
    // Busy machines take their time; a hang is still found.
    testTimeout: 30_000,
  },
});
