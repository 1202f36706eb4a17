import { z } from 'zod';
import { coordinationFields } from './coordination.js';
import { feederRefSchema } from './finding.js';

const node = z.strictObject({ bus: z.string(), phase: z.string() });
/** Voltages of all measured nodes at one output of the simulation. */
const voltages = z.strictObject({
  /** Simulated time, epoch seconds. */
  timestamp: z.number(),
  /** Null where nothing is measured, as the nodes are. */
  vMaxPu: z.number().nullable(),
  vMinPu: z.number().nullable(),
  vMaxNode: node.nullable(),
  vMinNode: node.nullable(),
  /** Nodes outside the limits. */
  violations: z.int().nonnegative(),
  measuredNodes: z.int().nonnegative(),
});

/** One interval as the manifest lists it. Figures that need the scenario are null when it is not known. */
export const intervalSchema = z.strictObject({
  interval: z.int().nonnegative(),
  /** Simulated time of the measurements it worked on, epoch seconds. */
  timestamp: z.number(),
  ...coordinationFields,
  status: z.enum(['converged', 'roundLimit', 'violated', 'noAgents']),
  /** From the simulation's measurements: before the set-points act, and in the first output with them. */
  before: voltages,
  after: voltages.nullable(),
  /**
   * The interval's window: outputs from the first with the set-points to the one that the next interval works on, both
   * included. Extremes over them (null where nothing is measured), and the most nodes that one of them showed outside the
   * limits.
   */
  during: z
    .strictObject({
      vMaxPu: z.number().nullable(),
      vMinPu: z.number().nullable(),
      violations: z.int().nonnegative(),
      outputs: z.int().positive(),
    })
    .nullable(),
  /** Devices in the difference message, and those whose change was inside the dead band. */
  commanded: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  missingAgents: z.array(z.string()),
  agentErrors: z.array(z.strictObject({ agentId: z.string(), message: z.string() })),
  /** Agents without any sign for so many intervals in a row; their limits stay as last committed. */
  lostAgents: z.array(z.strictObject({ agentId: z.string(), intervals: z.int().positive() })),
  unmeasuredAgents: z.array(z.string()),
  findings: z.array(z.string()),
  /** What came to the coordinator in answer to the interval's rounds. */
  received: z.strictObject({ messages: z.int().nonnegative(), bytes: z.int().nonnegative() }).optional(),
  /** What it worked with, where people had changed what the run began with. */
  inForce: z
    .strictObject({
      limits: z.strictObject({ minPu: z.number(), maxPu: z.number() }),
      loadMultiplier: z.number(),
      pvMultiplier: z.number(),
    })
    .optional(),
  /** Of a run that plans ahead: steps of the plan, money above the least possible and for the step's energy, batteries. */
  plan: z
    .strictObject({
      steps: z.int().positive(),
      gap: z.number().nullable(),
      energyCost: z.number(),
      storedKwh: z.number(),
      batteryW: z.number(),
      leastCurtailedW: z.number().nullable(),
    })
    .optional(),
});

/** The figures of a run at a glance. */
const summary = z.strictObject({
  vMaxBeforePu: z.number().nullable(),
  violationsBefore: z.number().nullable(),
  /** Over the windows (`during`) of all intervals, as `--strict` judges them. */
  vMaxAfterPu: z.number().nullable(),
  violationsAfter: z.number().nullable(),
  /** Of the interval with the most curtailment, as are the figures of fairness. */
  curtailedW: z.number().nullable(),
  curtailedPct: z.number().nullable(),
  /** Over all intervals, Wh, and as a share of what was available over all of them. */
  curtailedWh: z.number().nullable(),
  curtailedEnergyPct: z.number().nullable(),
  jainAlpha: z.number().nullable(),
  jainServed: z.number().nullable(),
  giniAlpha: z.number().nullable(),
  giniServed: z.number().nullable(),
  worstDecileAlpha: z.number().nullable(),
  priceOfFairnessPct: z.number().nullable(),
  rounds: z.number(),
  /** Of coordination, all intervals together. */
  seconds: z.number(),
});

/** manifest.json, and what `dec run --json` prints. */
export const manifestSchema = z.strictObject({
  runId: z.string(),
  /** One coordination without a simulation (`dec coordinate --out`): one interval at no particular time; absent of a run. */
  kind: z.literal('coordination').optional(),
  /** Names of all runs of a comparison of rules that this one is of, itself among them. */
  comparison: z.array(z.string()).optional(),
  status: z.enum(['completed', 'cancelled', 'nothingToCoordinate', 'simulationEnded', 'agentsLost', 'neverSettled']),
  /** A sentence for every status but `completed`. */
  reason: z.string().nullable(),
  feeder: feederRefSchema,
  simulationId: z.string().nullable(),
  /** Files the run depends on. */
  inputs: z.array(z.strictObject({ name: z.string(), sha256: z.string() })),
  /** File of `--config` (its digest is among `inputs`), and the settings that came from it: the command line goes before. */
  configuration: z.strictObject({ file: z.string(), settings: z.record(z.string(), z.unknown()) }).optional(),
  /** What was in force. */
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
  /** Of the run's own random stream (message ids). */
  seed: z.number(),
  agents: z.int().nonnegative(),
  /** Areas between the coordinator and its agents, by the name of their first bus, and the hosts that carried them first. */
  areas: z.array(z.strictObject({ name: z.string(), hostId: z.string(), agents: z.int().positive() })).optional(),
  ders: z.int().nonnegative(),
  summary,
  intervals: z.array(intervalSchema),
  /** Folder of the run, and its files beside the manifest. */
  folder: z.string(),
  files: z.array(z.string()),
  findings: z.array(z.string()),
  /** What people asked of it while it went on, in order; absent where nobody did. */
  controls: z
    .array(
      z.strictObject({
        /** The interval that came next, and the simulated time of the last output; null before the first. */
        interval: z.int().nonnegative(),
        timestamp: z.number().nullable(),
        isAccepted: z.boolean(),
        /** What was done, or why not. */
        text: z.string(),
        /** As it was asked. */
        control: z.record(z.string(), z.unknown()),
      }),
    )
    .optional(),
  /** Intervals taken over from a run that was killed, and their seconds of coordination: those of the summary hold them. */
  takenOver: z.strictObject({ intervals: z.int().positive(), seconds: z.number() }).optional(),
  /** Wall-clock seconds of this run, without one that it went on with. */
  seconds: z.number(),
});

/** The manifest as a type. */
export type RunManifest = z.infer<typeof manifestSchema>;
