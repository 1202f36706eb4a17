import { z } from 'zod';
import { feederRefSchema, findingSchema } from './finding.js';

const phase = z.enum(['A', 'B', 'C', 'N', 's1', 's2']);

/** What `dec series --json` prints. Times ending in `H` are hours since the first midnight. */
export const seriesSchema = z.strictObject({
  feeder: feederRefSchema,
  mode: z.enum(['snapshot', 'daily', 'yearly', 'duty']),
  status: z.enum(['completed', 'cancelled']),
  /** Steps done, and asked for. */
  steps: z.int().nonnegative(),
  stepsWanted: z.int().positive(),
  stepSeconds: z.number().positive(),
  startSeconds: z.number(),
  settings: z.strictObject({
    controlMode: z.enum(['static', 'time', 'off']),
    maxControlPasses: z.int().positive(),
    isSettledBefore: z.boolean(),
    loadMultiplier: z.number(),
    pvMultiplier: z.number(),
    sourceVoltagePu: z.number().exactOptional(),
    tolerancePu: z.number().positive(),
    maxIterations: z.int().positive(),
    minPu: z.number(),
    maxPu: z.number(),
  }),
  /** Steps without a solution; the figures leave them out. */
  unsolvedSteps: z.int().nonnegative(),
  iterations: z.int().nonnegative(),
  nodes: z.array(
    z.strictObject({
      /** Upper case. */
      bus: z.string(),
      node: z.int(),
      phase,
      /** Line-to-neutral. */
      kvBase: z.number(),
      minPu: z.number(),
      maxPu: z.number(),
      meanPu: z.number(),
      lastPu: z.number(),
      minAtH: z.number(),
      maxAtH: z.number(),
      p5Pu: z.number(),
      p50Pu: z.number(),
      p95Pu: z.number(),
    }),
  ),
  /** Percentiles are off by this at most. */
  resolution: z.strictObject({ voltagePu: z.number(), loadingPct: z.number() }),
  source: z.strictObject({
    energyWh: z.number(),
    reactiveVarh: z.number(),
    peakW: z.number().nullable(),
    peakAtH: z.number().nullable(),
  }),
  loadWh: z.number(),
  generationWh: z.number(),
  lossesWh: z.number(),
  controls: z.strictObject({
    /** Steps moved by all tap changers, sections switched by all capacitors. */
    tapChanges: z.int().nonnegative(),
    capacitorSwitchings: z.int().nonnegative(),
    unsettledSteps: z.int().nonnegative(),
    devices: z.array(
      z.strictObject({
        name: z.string(),
        kind: z.enum(['regulator', 'capacitor']),
        operations: z.int().nonnegative(),
        moved: z.int().nonnegative(),
        /** At the end. */
        position: z.number(),
      }),
    ),
  }),
  branches: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(['line', 'switch', 'reactor', 'transformer']),
      ratingA: z.number().positive(),
      maxPct: z.number(),
      maxAtH: z.number(),
      meanPct: z.number(),
      p50Pct: z.number(),
      p95Pct: z.number(),
      overRatingH: z.number(),
    }),
  ),
  violations: z.array(
    z.strictObject({
      bus: z.string(),
      node: z.int(),
      kind: z.enum(['under', 'over']),
      limit: z.number(),
      worstPu: z.number(),
      times: z.int().positive(),
      hours: z.number(),
      longestH: z.number(),
    }),
  ),
  findings: z.array(findingSchema),
});

/** manifest.json in the folder of a series that has ended. */
export const seriesManifestSchema = seriesSchema.omit({ nodes: true, branches: true }).extend({
  kind: z.literal('series'),
  versions: z.record(z.string(), z.string()),
  /** Files beside it. */
  files: z.array(z.string()),
});

/** The result of a series as it is printed. */
export type SeriesOutput = z.infer<typeof seriesSchema>;
