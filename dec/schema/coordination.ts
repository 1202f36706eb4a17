import { z } from 'zod';
import { feederRefSchema, findingSchema } from './finding.js';

/** Figures of a set of shares: of what is curtailed (alpha) and of what is served (1 - alpha). */
const pair = z.strictObject({ alpha: z.number(), served: z.number() });
/**
 * Extremes of a model's voltages, and where the highest is: `BUS.node`. In the AC check of a run, which is the agents' own
 * below their transformers, the agent's id when it is there: agents tell how high a voltage is, not at which customer.
 */
const extremes = { vMaxPu: z.number(), vMinPu: z.number(), worstNode: z.string() };

/** Fields that one coordination and one interval of a run have in common. */
export const coordinationFields = {
  status: z.string(),
  method: z.enum(['admm', 'central']),
  fairness: z.enum(['proportional', 'equalAlpha', 'total']),
  /** What shares one curtailed fraction where the rule ties it: the whole feeder, or nothing beyond the single customer. */
  level: z.enum(['feeder', 'customer']),
  rounds: z.int().nonnegative(),
  /** Scaled norms after the last round; zero for the central method. */
  residuals: z.strictObject({ primal: z.number(), dual: z.number() }),
  /** Value of the fairness rule's objective, kW; null when nothing was solved. */
  objective: z.number().nullable(),
  /**
   * How far the set-points are from the optimum of their rule in the linear problem of the whole feeder, moved onto the AC
   * power flow: the largest of stationarity (by how much an alpha would still move), feasibility (pu squared),
   * complementarity (over the optimum's cost) and ties; grid/optim/kkt-residual.ts. For the central method the residual of
   * its solver. Null where the limits cannot hold.
   */
  kktResidual: z.number().nullable(),
  availableW: z.number().nullable(),
  curtailedW: z.number().nullable(),
  curtailedPct: z.number().nullable(),
  /** Curtailment above the least possible, percent of what is available; null where the least is not known. */
  priceOfFairnessPct: z.number().nullable(),
  alpha: z.strictObject({ min: z.number(), max: z.number(), mean: z.number() }).nullable(),
  jain: pair.nullable(),
  gini: pair.nullable(),
  /** The linear model at the set-points, without correction; null where it was not asked. */
  linear: z.strictObject(extremes).nullable(),
  /** The AC power flow at the set-points; null when it was not solved. */
  ac: z.strictObject({ ...extremes, corrections: z.int().nonnegative() }).nullable(),
  /** Sum of the DER's reactive set-points, var. */
  reactiveVar: z.number(),
  agents: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
};

/** A DER and what was decided for it. */
export const derSchema = z.strictObject({
  /** mRID of the connection, else the key in the model. */
  id: z.string(),
  name: z.string(),
  bus: z.string(),
  phases: z.string(),
  availableW: z.number(),
  setpointW: z.number(),
  setpointVar: z.number(),
  /** 1 - set-point / available. */
  alpha: z.number(),
});

/** The object that `dec coordinate --json` prints. */
export const coordinationSchema = z.strictObject({
  feeder: feederRefSchema,
  ...coordinationFields,
  ders: z.array(derSchema),
  settings: z.strictObject({
    loadMultiplier: z.number(),
    pvMultiplier: z.number(),
    /** null keeps the model's. */
    sourceVoltagePu: z.number().nullable(),
    vMinPu: z.number(),
    vMaxPu: z.number(),
    reactive: z.literal('none'),
    acCorrection: z.boolean(),
    maxRounds: z.int(),
    /** Names of switches opened by hand. */
    open: z.array(z.string()),
  }),
  findings: z.array(findingSchema),
});

/** What `dec coordinate --json` prints, as a type. */
export type CoordinationReport = z.infer<typeof coordinationSchema>;
