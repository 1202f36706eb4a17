/** The benchmark of the dashboard in a browser. */
import { join } from 'node:path';
import { chromiumPath } from '../system/web/chromium.js';
import { type BenchRow, type Goal, levelOf, spread } from './bench-row.js';
import { type Benchmark, numberOf } from './benchmarks.js';
import type { DashboardJob } from './job.js';
import { root } from './workshop.js';

const EDGES = 10_000;

/** The page of a run whose interval changes with every frame: the time from one picture of the map to the next. */
const G21: Benchmark = {
  id: 'G21',
  run(workshop, { isQuick }): readonly BenchRow[] {
    // Without a browser there is nothing to measure; the import of its path has said so.
    if (chromiumPath === undefined) return [];
    const job: DashboardJob = {
      ...{ kind: 'dashboard', edges: EDGES, intervals: 20, runs: join(root, 'outputs') },
      ...{ samples: isQuick ? 3 : 8, sampleMs: 1000 },
    };
    const result = workshop.ours(job);
    const ours = spread(result.seconds);
    // Frames a second: 20, 50, 60 (less what the clock of a screen is off by).
    const goal: Goal = { by: 'seconds', must: 0.05, lead: 0.02, peak: 0.017 };
    const unchanged = { value: numberOf(result, 'unchanged'), limit: 0, what: 'pictures that did not change' };
    return [
      {
        ...{ id: 'G21', unit: 'picture', ours, peerState: 'none', goal, deviation: unchanged },
        subject: `page of a run in Chromium ${String(result['chromium'])}, software only: all colours of a map of ${EDGES} branches and as many buses change with every frame, plots follow`,
        ...(unchanged.value === 0 ? { level: levelOf(goal, ours.median) } : {}),
        ownSpreadPct: (100 * (ours.max - ours.min)) / ours.median,
        figures: {
          'pictures a second': 1 / ours.median,
          'script, ms a frame': numberOf(result, 'scriptMs'),
          'all of the main thread, ms a frame': numberOf(result, 'taskMs'),
          'map, px': String(result['pixels']),
          'first picture, s': numberOf(result, 'firstS'),
          'sample run, first picture, s': numberOf(result, 'sampleS'),
          'the same, first of all, s': numberOf(result, 'sampleColdS'),
        },
      },
    ];
  },
};

export const DASHBOARD_BENCHMARKS: readonly Benchmark[] = [G21];
