import { z } from 'zod';
import { feederRefSchema, findingSchema } from './finding.js';

const phase = z.enum(['A', 'B', 'C', 'N', 's1', 's2']);
const power = z.strictObject({ pW: z.number(), qVar: z.number() });

/** Settings of a power flow, as used. */
const powerFlowSettings = z.strictObject({
  tolerancePu: z.number().positive(),
  maxIterations: z.int().positive(),
  controls: z.boolean(),
  maxControlPasses: z.int(),
  loadMultiplier: z.number(),
  pvMultiplier: z.number(),
  sourceVoltagePu: z.number().exactOptional(),
  controlMode: z.enum(['static', 'time']).exactOptional(),
  timeS: z.number().exactOptional(),
});

/** What `dec powerflow --json` prints. */
export const powerflowSchema = z.strictObject({
  feeder: feederRefSchema,
  converged: z.boolean(),
  iterations: z.int().nonnegative(),
  status: z.enum(['converged', 'controlsUnsettled', 'iterationLimit', 'diverged', 'singular']),
  settings: powerFlowSettings,
  nodes: z.array(
    z.strictObject({
      /** Upper case. */
      bus: z.string(),
      /** OpenDSS' number: A 1, B 2, C 3, N 4, s1 1, s2 2, explicit wires as they are. */
      node: z.int(),
      phase,
      /** Line-to-neutral. */
      kvBase: z.number(),
      voltageV: z.number(),
      voltagePu: z.number(),
      angleDeg: z.number(),
    }),
  ),
  /** Power delivered by the sources. */
  source: power,
  losses: power,
  taps: z.array(z.strictObject({ name: z.string(), phase: z.string(), position: z.number() })),
  capacitors: z.array(z.strictObject({ name: z.string(), steps: z.number() })),
  branches: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(['line', 'switch', 'reactor', 'transformer']),
      from: z.string(),
      to: z.string(),
      terminals: z.array(
        z.strictObject({
          phase,
          /** Terminal number from 1. */
          end: z.int().positive(),
          currentA: z.number(),
          angleDeg: z.number(),
          pW: z.number(),
          qVar: z.number(),
        }),
      ),
      ratingA: z.number().nullable(),
      loadingPct: z.number().nullable(),
    }),
  ),
  violations: z.array(z.strictObject({ bus: z.string(), node: z.int(), voltagePu: z.number(), limit: z.number() })),
  findings: z.array(findingSchema),
});

/** The result of a power flow as it is printed. */
export type PowerflowOutput = z.infer<typeof powerflowSchema>;
