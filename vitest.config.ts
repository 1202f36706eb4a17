import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Two projects: `check` is fast and needs nothing but npm; `live` starts brokers, worker threads and whole runs, and has what
 * takes more than a few seconds (`*.long.test.ts`).
 */
export default defineConfig({
  test: {
    globalSetup: ['./tests/announce-skips.ts'],
    projects: [
      {
        test: {
          name: 'check',
          include: ['tests/{architecture,unit,golden,property}/**/*.test.ts'],
          exclude: ['**/*.long.test.ts'],
          testTimeout: 30_000,
          // Tests of this project leave nothing behind in their modules; sharing them halves the time.
          isolate: false,
          // The main thread only waits for the reports: every core can work.
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: 'live',
          include: ['tests/{conformance,system}/**/*.test.ts', 'tests/**/*.long.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
