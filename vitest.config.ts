// How the tests run: plain Node, no globals, nothing mocked between files.
import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

export default defineConfig({
  // With Node's own conditions the sources and the libraries load the same file of graphql; two copies would not know each other's errors.
  ssr: { resolve: { conditions: ['node', 'module-sync'], externalConditions: ['node', 'module-sync'] } },
  test: {
    environment: 'node',
    // A worker a core: what tests wait for is mostly children and files, so that the one core vitest would spare stands idle.
    maxWorkers: availableParallelism(),
    globalSetup: ['test/support/postgres-setup.ts'],
    include: ['test/**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**'],
    // A child process that has to be compiled and started on a busy machine with two cores takes seconds, not minutes.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    passWithNoTests: false,
  },
});
