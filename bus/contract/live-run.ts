import { z } from 'zod';
import { declareMessage, type Immutable } from './message.js';

/*
 * A run as it goes on, for whoever watches. On the progress topic the run says in a few bytes that something is new. Whoever
 * wants to know asks for all that is newer than the revision it has: however slow it is, it gets the present state in one
 * answer, and nothing waits for it. Voltages are pu of the nominal voltage, powers W with generation positive, times epoch
 * seconds of the simulation.
 */

const count = z.int().nonnegative();
const node = z.object({ bus: z.string(), phase: z.string() });
/** Pu by node in the order of the description; null where none is measured. */
const voltagesPu = z.array(z.number().nullable());
/** A number that JSON cannot say is null on the wire. */
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const figures = z.object({
  timestamp: z.number(),
  /** NaN where nothing is measured. */
  vMaxPu: measured,
  vMinPu: measured,
  vMaxNode: node,
  vMinNode: node,
  violations: count,
});
const round = z.object({
  round: count,
  primal: measured,
  primalTolerance: measured,
  dual: measured,
  dualTolerance: measured,
  totalInjectionW: z.number().nullable(),
});

/** By branch in the order of the description; null where none is measured. */
const byBranch = z.array(z.number().nullable());
const branches = z.object({
  /** Largest phase current at the measured end, A. */
  currentA: byBranch,
  /** Power into the first end, all phases. */
  powerW: byBranch,
  /** Of a switch 1 closed, 0 open; of a regulator its tap, steps. */
  position: byBranch,
});

/** What is measured of branches. */
export type LiveBranches = Immutable<z.infer<typeof branches>>;

const interval = z.object({
  /** Of its last change. */
  revision: count,
  interval: count,
  timestamp: z.number(),
  status: z.string(),
  /** The rule and the limits that it worked with. */
  fairness: z.string().exactOptional(),
  limits: z.object({ minPu: z.number(), maxPu: z.number() }).exactOptional(),
  rounds: count,
  corrections: count.nullable(),
  /** Wall-clock seconds of the coordination. */
  seconds: z.number(),
  availableW: z.number().nullable(),
  curtailedW: z.number().nullable(),
  curtailedPct: z.number().nullable(),
  priceOfFairnessPct: z.number().nullable(),
  jainServed: z.number().nullable(),
  commanded: count,
  unchanged: count,
  before: figures,
  after: figures.nullable(),
  beforePu: voltagesPu,
  afterPu: voltagesPu,
  curtailment: z.array(z.object({ agent: z.string(), availableW: z.number(), curtailedW: z.number(), ders: count })),
  history: z.array(round),
  missingAgents: z.array(z.string()),
  lostAgents: z.array(z.object({ agentId: z.string(), intervals: count })),
  agentErrors: z.array(z.object({ agentId: z.string(), message: z.string() })),
  findings: z.array(z.string()),
});

/** An interval that is done. */
export type LiveInterval = Immutable<z.infer<typeof interval>>;

const description = z.object({
  revision: count,
  feeder: z.object({ name: z.string(), mrid: z.string() }),
  /** As the manifest will have them. */
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()).default({}),
  agents: z.array(z.object({ agentId: z.string(), ders: count })),
  ders: count,
  /** Every measured node. */
  nodes: z.array(node),
  /** Ids of the branches whose flow or position is measured, as the feeder's map has them. */
  branches: z.array(z.string()).default([]),
  switches: z.array(z.string()),
  /** Names of rules that it may be given. */
  fairnessModes: z.array(z.string()),
  /** Kinds of controls that this run takes; none when it is only watched. */
  controls: z.array(z.string()),
});

const inForce = z.object({
  revision: count,
  fairness: z.string(),
  limits: z.object({ minPu: z.number(), maxPu: z.number() }),
  loadMultiplier: z.number(),
  pvMultiplier: z.number(),
  /** By name. */
  openSwitches: z.array(z.string()),
  droppedAgents: z.array(z.string()),
});

/** What holds now of what can be changed. */
export type LiveInForce = Immutable<z.infer<typeof inForce>>;

const event = z.object({
  revision: count,
  /** Simulated time; null before the first output. */
  timestamp: z.number().nullable(),
  /** The interval that comes next, or that it is of. */
  interval: count,
  grade: z.enum(['info', 'good', 'warning', 'bad']),
  text: z.string(),
});

/** Something that happened beside the intervals: a control, a warning. */
export type LiveEvent = Immutable<z.infer<typeof event>>;

const update = z.object({
  runId: z.string(),
  /** State that this brings up to. */
  revision: count,
  /** Everything there is, and not only what changed. */
  isWhole: z.boolean(),
  status: z.enum(['starting', 'running', 'paused', 'ended']),
  /** What it does, in a few words. */
  stage: z.string(),
  description: description.exactOptional(),
  inForce: inForce.exactOptional(),
  /** The newest output of the simulation. */
  output: z.object({ revision: count, figures, voltagesPu, branches: branches.exactOptional() }).exactOptional(),
  /** The interval that is being coordinated, null between intervals. */
  open: z
    .object({
      revision: count,
      interval: count,
      timestamp: z.number(),
      before: figures,
      beforePu: voltagesPu,
      history: z.array(round),
    })
    .nullable()
    .exactOptional(),
  /** Those that changed. */
  intervals: z.array(interval),
  events: z.array(event),
});

/** What is new of a run. */
export type LiveUpdate = Immutable<z.infer<typeof update>>;

const figuresExample = {
  timestamp: 1776769200,
  vMaxPu: 1.0586,
  vMinPu: 0.9981,
  vMaxNode: { bus: 'S85C_6', phase: 's1' },
  vMinNode: { bus: '150R', phase: 'A' },
  violations: 542,
};

/** Something is new of a run. */
export const liveTick = declareMessage({
  name: 'run progress',
  destination: '/topic/goss.gridappsd.run.<runId>.progress',
  schema: z.object({ runId: z.string(), revision: count, status: z.string() }),
  example: { runId: 'run-1', revision: 41, status: 'running' },
});

/** Asks for what is new. */
export const liveLook = declareMessage({
  name: 'run question',
  destination: '/queue/goss.gridappsd.run.<runId>.look',
  schema: z.object({
    /** Revision that is known; 0 for all. */
    since: count,
    /** Run that it is of; another one is told whole. */
    runId: z.string().exactOptional(),
  }),
  example: { since: 40, runId: 'run-1' },
});

/** What is new of a run. */
export const liveUpdate = declareMessage({
  name: 'run update',
  destination: "the request's reply-to",
  schema: update,
  example: {
    runId: 'run-1',
    revision: 41,
    isWhole: false,
    status: 'running',
    stage: 'interval 3',
    output: { revision: 41, figures: figuresExample, voltagesPu: [1.0586, 0.9981] },
    intervals: [],
    events: [],
  },
});
