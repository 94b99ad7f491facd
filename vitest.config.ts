// How the tests run: plain Node, no globals, nothing mocked between files.
import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

// Files that have modules for themselves: `work-thread` replaces some that other files import, and `claude-hosts` has them read again. All others leave
// nothing behind in a module: they share processes, each of which reads and compiles the sources once and not once a file.
const APART = ['test/engine/execution/thread/work-thread.test.ts', 'test/conformance/claude-hosts.test.ts'];
const ALL = ['test/**/*.test.ts'];

const NEVER = ['node_modules/**', 'dist/**'];

/** What starts processes takes longest, and is no longer to read than the rest: it begins first, so that nobody waits for the last of it. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      /\/test\/(?:bench|docs|e2e|faults|page)\//.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

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
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          isolate: false,
          include: ALL,
          exclude: [...NEVER, ...APART],
          // By Node itself, as the product is: through Vite's module runner each use of an import is a call, which takes a third of the time of a test.
          experimental: { viteModuleRunner: false, nodeLoader: false },
        },
      },
      { extends: true, test: { name: 'apart', include: APART, exclude: NEVER } },
    ],
  },
});
