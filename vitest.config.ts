// How the tests run: plain Node, no globals, nothing mocked between files.
import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

// Tests that leave nothing behind in a module: the files of a group share a process, which reads and compiles the sources once and not once a file.
// `work-thread` replaces modules that other files import, and `claude-hosts` has them read again.
const TOGETHER: Readonly<Record<string, string>> = {
  rooms:
    'test/{common,engine,errors,golden,language,ledger,revisions,server,simulation}/**/!(work-thread).test.ts',
  commands: 'test/{cli,e2e,page}/*.test.ts',
  conformance: 'test/conformance/**/!(claude-hosts).test.ts',
  faults: 'test/faults/**/*.test.ts',
  documents: 'test/{bench,docs,library,scripts,support}/*.test.ts',
};

const NEVER = ['node_modules/**', 'dist/**'];

export default defineConfig({
  // With Node's own conditions the sources and the libraries load the same file of graphql; two copies would not know each other's errors.
  ssr: { resolve: { conditions: ['node', 'module-sync'], externalConditions: ['node', 'module-sync'] } },
  test: {
    environment: 'node',
    // One more than there are cores: half of their time tests wait, for children, disks and times that have to pass.
    maxWorkers: availableParallelism() + 1,
    // Of those that stand beside each other in a file: each starts several processes.
    maxConcurrency: 3,
    globalSetup: ['test/support/postgres-setup.ts'],
    setupFiles: ['test/support/setup.ts'],
    // A child process that has to be compiled and started on a busy machine with two cores takes seconds, not minutes.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    passWithNoTests: false,
    projects: [
      ...Object.entries(TOGETHER).map(([name, files]) => ({
        extends: true as const,
        test: {
          name,
          isolate: false,
          include: [files],
          exclude: NEVER,
          // By Node itself, as the product is: through Vite's module runner each use of an import is a call, which takes a third of the time of a test.
          experimental: { viteModuleRunner: false, nodeLoader: false },
        },
      })),
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: [...NEVER, ...Object.values(TOGETHER)],
        },
      },
    ],
  },
});
