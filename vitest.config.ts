import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Three projects, one after the other: `check` is fast and needs nothing but npm; `long` computes for more than a few seconds or
 * starts processes that nothing waits for against a clock, on every core; `live` starts brokers, agent hosts and whole runs that
 * keep deadlines, so that nothing else may run beside it. Runs that are about their optimum alone have deadlines far away.
 */
const RULES = 'tests/system/coordination/{coupled-rules,optimum,primary-sun}.test.ts';
/** Pages of finished runs: a browser beside a server, and no run against a clock. */
const PAGES = 'tests/system/web/dashboard.test.ts';
const LIVE = ['tests/conformance/{bus,python}/**/*.test.ts', 'tests/system/{coordination,platform,web}/**/*.test.ts'];
const LONG = [
  'tests/conformance/{opendss,gridlabd}/**/*.test.ts',
  'tests/system/{cli,library}/**/*.test.ts',
  RULES,
  PAGES,
  'tests/**/*.long.test.ts',
];

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
          name: 'long',
          include: LONG,
          // Limits are for what hangs: a machine under load takes many times as long as one at rest.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          isolate: false,
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'live',
          include: LIVE,
          exclude: [RULES, PAGES],
          // Deadlines of brokers and runs are real ones: on a shared machine a pause of seconds can pass one. In CI such a test has a
          // second try, which the report names ("retry x1"); what fails twice has failed.
          retry: process.env['CI'] ? 1 : 0,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
