import { z } from 'zod';
import { feederRefSchema, findingSchema } from './finding.js';

const series = z.array(z.number());
const pair = z.strictObject({ alpha: z.number(), served: z.number() });

/** How a plan ended. */
const planStatus = z.enum(['optimal', 'limitsViolated', 'failed', 'nothingToDo']);

/** A step of a horizon, planned or carried out. */
const stepFields = {
  vMaxPu: z.number(),
  vMinPu: z.number(),
  worstNode: z.string(),
  /** Of the linear model, with customers alone. */
  uncoordinatedMaxPu: z.number(),
  violations: z.int().nonnegative(),
  isConverged: z.boolean(),
  availableW: z.number(),
  curtailedW: z.number(),
  /** Least that could be, with the batteries as planned; null where limits do not hold. */
  leastCurtailedW: z.number().nullable(),
  /** Positive when discharging. */
  batteryW: z.number(),
  storedWh: z.number(),
  sourceW: z.number(),
};

const settingsSchema = z.strictObject({
  vMinPu: z.number(),
  vMaxPu: z.number(),
  loadMultiplier: z.number(),
  pvMultiplier: z.number(),
  sourceVoltagePu: z.number().nullable(),
  end: z.enum(['cyclic', 'free']),
  curtailmentWeight: z.number(),
});

/** What `dec coordinate --horizon --json` prints. Power in W, energy of stores in Wh, cost in the prices' money. */
export const horizonSchema = z.strictObject({
  feeder: feederRefSchema,
  status: planStatus,
  /** Seconds after midnight, or epoch seconds where the begin has a date. */
  startS: z.number(),
  stepSeconds: z.number().positive(),
  objective: z.number(),
  /** How far above the least objective this may be, money. */
  gap: z.number().nullable(),
  kktResidual: z.number(),
  energyCost: z.number(),
  uncoordinatedCost: z.number(),
  availableKwh: z.number(),
  curtailedKwh: z.number(),
  curtailedPct: z.number(),
  /** Most that is curtailed in a step. */
  curtailedMaxW: z.number(),
  /** Curtailed energy above the least of each step with the batteries as planned, % of what is available. */
  priceOfFairnessPct: z.number().nullable(),
  jain: pair,
  gini: pair,
  worstDecileAlpha: z.number(),
  corrections: z.int().nonnegative(),
  linearErrorPu: z.number(),
  steps: z.array(
    z.strictObject({
      ...stepFields,
    }),
  ),
  customers: z.array(
    z.strictObject({
      bus: z.string(),
      energyCost: z.number(),
      curtailedKwh: z.number(),
      /** Positive when drawn. */
      netW: series,
      pvW: series,
      batteries: z.array(z.strictObject({ id: z.string(), powerW: series, storedWh: series })),
    }),
  ),
  settings: settingsSchema,
  seconds: z.number().nonnegative(),
  findings: z.array(findingSchema),
});
export type HorizonReport = z.infer<typeof horizonSchema>;

/** What `dec coordinate --recede --json` prints. Power in W, energy of stores in Wh, cost in the prices' money. */
export const recedingSchema = z.strictObject({
  feeder: feederRefSchema,
  /** Of the worst plan. */
  status: planStatus,
  startS: z.number(),
  stepSeconds: z.number().positive(),
  /** Steps that each plan looks ahead, the one carried out among them. */
  horizonSteps: z.int().positive(),
  energyCost: z.number(),
  availableKwh: z.number(),
  curtailedKwh: z.number(),
  curtailedPct: z.number(),
  /** Most that is curtailed in a step. */
  curtailedMaxW: z.number(),
  /** Curtailed energy above the least of each step with the batteries as planned, % of what is available. */
  priceOfFairnessPct: z.number().nullable(),
  jain: pair,
  gini: pair,
  worstDecileAlpha: z.number(),
  steps: z.array(
    z.strictObject({
      status: planStatus,
      /** Of the plan: how far above the least cost it may be, and AC corrections. */
      gap: z.number().nullable(),
      corrections: z.int().nonnegative(),
      importPrice: z.number(),
      energyCost: z.number(),
      ...stepFields,
    }),
  ),
  batteries: z.array(z.strictObject({ id: z.string(), powerW: series, storedWh: series })),
  ders: z.array(z.strictObject({ id: z.string(), alpha: series })),
  settings: settingsSchema,
  plot: z.string().nullable(),
  seconds: z.number().nonnegative(),
  findings: z.array(findingSchema),
});
export type RecedingReport = z.infer<typeof recedingSchema>;

/** What `dec coordinate --envelopes --json` prints. Limits in W, both positive. */
export const envelopeSchema = z.strictObject({
  feeder: feederRefSchema,
  status: z.enum(['optimal', 'shrunk', 'baseViolated', 'failed', 'nothingToDo']),
  rule: z.enum(['proportional', 'maxMin']),
  totalExportW: z.number(),
  totalImportW: z.number(),
  bindingRows: z.int().nonnegative(),
  corrections: z.int().nonnegative(),
  customers: z.array(
    z.strictObject({
      bus: z.string(),
      name: z.string(),
      exportW: z.number().nonnegative(),
      importW: z.number().nonnegative(),
      exportCapW: z.number(),
      importCapW: z.number(),
    }),
  ),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(['together', 'phase', 'worst', 'random']),
      isConverged: z.boolean(),
      vMaxPu: z.number(),
      vMinPu: z.number(),
      worstNode: z.string(),
      violations: z.int().nonnegative(),
      maxLoading: z.number(),
    }),
  ),
  settings: z.strictObject({
    vMinPu: z.number(),
    vMaxPu: z.number(),
    weights: z.enum(['equal', 'capacity']),
    customers: z.enum(['all', 'der']),
    guarantee: z.enum(['oneWay', 'everyMixture']),
    transformerLoadingPct: z.number(),
    mixtures: z.int().nonnegative(),
    seed: z.int(),
  }),
  seconds: z.number().nonnegative(),
  findings: z.array(findingSchema),
});
export type EnvelopeReport = z.infer<typeof envelopeSchema>;
