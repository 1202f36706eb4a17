import { z } from 'zod';
import { feederRefSchema, findingSchema } from './finding.js';

/** Figures of a set of shares: of what is curtailed (alpha) and of what is served (1 - alpha). */
const pair = z.strictObject({ alpha: z.number(), served: z.number() });
/**
 * Extremes of a model's voltages, and where the highest is: `BUS.node`. In the AC check of a run, which is the agents' own
 * below their transformers, the agent's id when it is there: agents tell how high a voltage is, not at which customer.
 */
const extremes = { vMaxPu: z.number(), vMinPu: z.number(), worstNode: z.string() };

/** Rules of fairness. */
const fairnessModes = [
  'proportional',
  'equalAlpha',
  'total',
  'exportBased',
  'alphaFair',
  'maxMin',
  'equalKw',
  'feedback',
] as const;

/** Fields that one coordination and one interval of a run have in common. */
export const coordinationFields = {
  status: z.string(),
  method: z.enum(['admm', 'central']),
  /** Rule of fairness; docs/algorithms/fairness.md. */
  fairness: z.enum(fairnessModes),
  /** What shares one curtailed fraction and counts as one participant. */
  level: z.enum(['customer', 'transformer', 'area', 'feeder']),
  rounds: z.int().nonnegative(),
  /** Scaled norms after the last round; zero for the central method. */
  residuals: z.strictObject({ primal: z.number(), dual: z.number() }),
  /** Value of the fairness rule's objective: kW; for maxMin the largest curtailed fraction. Null when nothing was solved. */
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
  /** Curtailed energy over the interval that the set-points are in force, Wh. */
  curtailedWh: z.number().nullable(),
  /** Curtailment above the least possible, percent of what is available; null where the least is not known. */
  priceOfFairnessPct: z.number().nullable(),
  alpha: z.strictObject({ min: z.number(), max: z.number(), mean: z.number() }).nullable(),
  jain: pair.nullable(),
  gini: pair.nullable(),
  /** Mean alpha of the tenth of the units that are curtailed most. */
  worstDecileAlpha: z.number().nullable(),
  /** The linear model at the set-points, without correction; null where it was not asked. */
  linear: z.strictObject(extremes).nullable(),
  /** The AC power flow at the set-points; null when it was not solved. */
  ac: z.strictObject({ ...extremes, corrections: z.int().nonnegative() }).nullable(),
  /**
   * What regulators and capacitor banks do about the set-points, in a run where it could touch a limit; `ac` is of before and
   * after, the worse one at each node. Absent where none moves.
   */
  controls: z
    .strictObject({
      moves: z.array(
        z.strictObject({
          id: z.string(),
          name: z.string(),
          kind: z.enum(['regulator', 'capacitor']),
          /** Tap position in steps, or sections in service. */
          from: z.number(),
          to: z.number(),
        }),
      ),
      /** Whether they come to rest. */
      isAtRest: z.boolean(),
      ...extremes,
      /** Whether the limits hold before and after. */
      holds: z.boolean(),
    })
    .optional(),
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

/** What a coordination was asked to do. */
const settingsSchema = z.strictObject({
  loadMultiplier: z.number(),
  pvMultiplier: z.number(),
  /** null keeps the model's. */
  sourceVoltagePu: z.number().nullable(),
  vMinPu: z.number(),
  vMaxPu: z.number(),
  /** How participants count. */
  weights: z.enum(['capacity', 'equal']),
  /** Inequality aversion of alphaFair. */
  gamma: z.number(),
  reactive: z.enum(['none', 'capability', 'volt-var']),
  /** Largest reactive power, share of the rating. */
  kappa: z.number(),
  minPowerFactor: z.number(),
  priority: z.enum(['watt', 'var']),
  acCorrection: z.boolean(),
  /** The ancestor's coefficients. */
  compat: z.enum(['upstreamIndexTypo']).nullable(),
  maxRounds: z.int(),
  intervalSeconds: z.number(),
  /** Names of switches opened by hand. */
  open: z.array(z.string()),
});

/** Figures that only `dec coordinate` has. */
const moreFields = {
  /** Known for every coordination. */
  curtailedWh: z.number(),
  worstDecileAlpha: z.number(),
  /** Largest difference between the uncorrected linear model and the AC power flow at the set-points, pu. */
  linearErrorPu: z.number().nullable(),
  /** Areas between agents and the coordinator, by the name of their first bus, with how many agents they have. */
  areas: z.array(z.strictObject({ name: z.string(), agents: z.int().nonnegative() })),
  /** Messages that came to the coordinator in all rounds. */
  messages: z.int().nonnegative(),
  /** Levels that maxMin (fractions, falling) or equalKw (kW) came to. */
  levels: z.array(z.number()),
};

/** The object that `dec coordinate --json` prints. */
export const coordinationSchema = z.strictObject({
  feeder: feederRefSchema,
  ...coordinationFields,
  ...moreFields,
  ders: z.array(derSchema),
  settings: settingsSchema,
  findings: z.array(findingSchema),
});

/** What `dec coordinate --json` prints, as a type. */
export type CoordinationReport = z.infer<typeof coordinationSchema>;

/** One rule of a comparison: the figures of its coordination, and alphas in the order of `units`. */
const comparedSchema = z.strictObject({
  ...coordinationFields,
  ...moreFields,
  gamma: z.number(),
  alphas: z.array(z.number()),
});

/** The object that `dec coordinate --compare --json` prints. */
export const comparisonSchema = z.strictObject({
  feeder: feederRefSchema,
  availableW: z.number(),
  /** Ids of the PV systems, in the order of every `alphas`. */
  units: z.array(z.string()),
  rules: z.array(comparedSchema),
  settings: settingsSchema,
  /** File of the picture, when one was asked for. */
  plot: z.string().nullable(),
  /** Folders of the rules' results, in the order of `rules`; absent without `--out`. */
  folders: z.array(z.string()).optional(),
  seconds: z.number().nonnegative(),
  findings: z.array(findingSchema),
});

/** What `dec coordinate --compare --json` prints, as a type. */
export type ComparisonReport = z.infer<typeof comparisonSchema>;
