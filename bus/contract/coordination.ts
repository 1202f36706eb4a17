import { z } from 'zod';
import { areaExamples, areaOutcome, areaQuestion, areaReport } from './area.js';
import { declareMessage, type Immutable, misfitOf } from './message.js';

/**
 * The exchange between the coordinator and the hosts that carry its agents. All messages travel on three destinations:
 * a broadcast topic, a queue per host, and one queue of answers. `kind` tells them apart; `interval`, `round`, `sender`
 * and `sequence` let a receiver drop what is late, doubled or its own.
 *
 * Once: call → hello → assign → assigned, and for each simulation watch → watching. In an interval: prepare → prepared,
 * (round → boundary)* or, under rules that couple agents, open → opened and (dispatch → cuts)*, or with areas between
 * (areaRound → areaReport)* and settle → settled, then (verify → verified)*, perhaps correct and again from there, then
 * commit → setpoints. `round`
 * counts every question of an interval. agentError and leave at any time. Boundary power is positive into the agent.
 */
const header = {
  runId: z.string(),
  /** Number of the coordination interval, from 0. */
  interval: z.int().nonnegative(),
  /** Number of the question in the interval, repeated in its answer; 0 outside intervals. */
  round: z.int().nonnegative(),
  /** `coordinator`, or a host's id. */
  sender: z.string(),
  /** Counts the sender's messages; distinguishes a repeated message from a new one. */
  sequence: z.int().nonnegative(),
  /** The coordinator's own number, the `round` of its call; hosts heed no other coordinator while it lasts. */
  session: z.int().nonnegative().exactOptional(),
};

const numbers = z.array(z.number());
const byAgent = <T extends z.ZodType>(schema: T) => z.record(z.string(), schema);
/** Further quantities of a method, by name. */
const extra = z.record(z.string(), numbers).exactOptional();

const targets = z.object({
  /** By port node: W, var, pu squared. */
  targetW: numbers,
  targetVar: numbers,
  targetVoltageSquaredPu: numbers,
  /** Target of the shared curtailed fraction. */
  targetAlpha: z.number().exactOptional(),
  extra,
});

const boundary = z.object({
  /** By port node: W, var, pu squared. */
  powerW: numbers,
  powerVar: numbers,
  voltageSquaredPu: numbers,
  /** Where the fraction is dictated: the lowest port voltages that the agent's limits bear. */
  lowestVoltageSquaredPu: numbers.exactOptional(),
  alpha: z.number().exactOptional(),
  /** Sum of curtailed fractions of the agent's DER, and how many there are. */
  alphaSum: z.number().exactOptional(),
  alphaCount: z.number().exactOptional(),
  status: z.enum(['solved', 'infeasible']).default('solved'),
  extra,
});

const verification = z.object({
  powerW: numbers,
  powerVar: numbers,
  maxVoltagePu: z.number(),
  minVoltagePu: z.number(),
  /** Nodes outside the limits. */
  violations: z.int().nonnegative(),
  isConverged: z.boolean(),
  /** How far the AC power flow is from the agent's linear model where that is at a limit, pu. */
  bindingErrorPu: z.number().nonnegative().exactOptional(),
  extra,
});

/** All that an agent tells of a DER, and only at commitment. What the unit could have delivered stays with the agent. */
const setpoint = z.object({
  /** The PowerElectronicsConnection. */
  derMrid: z.string(),
  /** Limit of active power, generation positive; the unit's largest power when it is not held back. */
  setpointW: z.number(),
  setpointVar: z.number(),
});

/** A curtailable unit without its name, for rules that compare units of different agents. */
const offeredUnit = z.object({
  availableW: z.number(),
  /** What of it the customer uses, for exportBased. */
  usedW: z.number(),
  /** Weight of rule feedback. */
  factor: z.number(),
  ratingVA: z.number(),
  /** Share of its complex power that appears at each port node. */
  shareRe: numbers,
  shareIm: numbers,
  /**
   * Squared voltage of each terminal, for inverters on a Volt-VAr curve: `base + perAlpha alpha + perVar q + perPort v`,
   * pu squared, with alpha and q of all units of the agent.
   */
  terminals: z
    .array(z.object({ base: z.number(), perAlpha: numbers, perVar: numbers, perPort: numbers }))
    .exactOptional(),
});

const opening = z.object({
  /** Of the port without curtailment, by node, W and var. */
  powerW: numbers,
  powerVar: numbers,
  units: z.array(offeredUnit),
});

/** A limit of an agent as a row, pu squared: `perAlpha alpha + perVar q + perPort v <= most`. */
const cut = z.object({
  /** Which of the agent's limits it is; without meaning to others. */
  limit: z.int().nonnegative(),
  perAlpha: numbers,
  perVar: numbers,
  perPort: numbers,
  most: z.number(),
});

/** What an agent tells of itself before the first round. */
const told = z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), numbers]));
const brokenLimits = z.object({ cuts: z.array(cut) });
/** Parts of answers that could not be read, and why, by agent: who writes nonsense is left out, the others of its host are not. */
const unreadable = z.record(z.string(), z.string()).exactOptional();

const schema = z.discriminatedUnion('kind', [
  /** The coordinator asks every host of the run to say hello with the `round` of this call. */
  z.object({ ...header, kind: z.literal('call') }),
  z.object({
    ...header,
    kind: z.literal('hello'),
    hostId: z.string(),
    agentIds: z.array(z.string()),
    capacity: z.int(),
  }),
  z.object({ ...header, kind: z.literal('assign'), hostId: z.string(), agents: z.record(z.string(), z.unknown()) }),
  z.object({
    ...header,
    kind: z.literal('assigned'),
    hostId: z.string(),
    agentIds: z.array(z.string()),
    /** Why an agent could not be made, by agent. */
    rejected: z.record(z.string(), z.string()).default({}),
  }),
  /** The simulation whose measurements the agents shall read. */
  z.object({ ...header, kind: z.literal('watch'), simulationId: z.string() }),
  z.object({ ...header, kind: z.literal('watching'), hostId: z.string(), simulationId: z.string() }),
  z.object({
    ...header,
    kind: z.literal('prepare'),
    /** Simulated time, epoch seconds. */
    timestamp: z.number(),
    /** Series over the horizon by name: forecasts, prices. */
    horizon: z.record(z.string(), numbers).default({}),
    agents: byAgent(
      z.object({
        /** Limits in force, where an agent may not know them: it was made anew, or what it last committed was not sent. */
        limits: z.array(setpoint).exactOptional(),
        /** Weights of rule feedback by PV id; 1 for those not named. */
        factors: z.record(z.string(), z.number().positive()).exactOptional(),
      }),
    ).default({}),
  }),
  z.object({
    ...header,
    kind: z.literal('prepared'),
    hostId: z.string(),
    /** What an agent tells of itself before the first round, by agent. */
    agents: byAgent(told),
    unreadable,
  }),
  z.object({ ...header, kind: z.literal('round'), rho: z.number(), agents: byAgent(targets) }),
  z.object({ ...header, kind: z.literal('boundary'), hostId: z.string(), agents: byAgent(boundary), unreadable }),
  /** Agents say what they offer to a rule that couples them. */
  z.object({ ...header, kind: z.literal('open') }),
  z.object({ ...header, kind: z.literal('opened'), hostId: z.string(), agents: byAgent(opening), unreadable }),
  /** Each agent's part of a dispatch, by unit in the order of its opening: do your limits hold? */
  z.object({
    ...header,
    kind: z.literal('dispatch'),
    agents: byAgent(z.object({ alpha: numbers, reactiveVar: numbers, voltageSquaredPu: numbers })),
  }),
  /** The limits that it breaks; none where all hold. */
  z.object({
    ...header,
    kind: z.literal('cuts'),
    hostId: z.string(),
    agents: byAgent(brokenLimits),
    unreadable,
  }),
  /** A round of areas: each finishes the last one with what it is told, and asks its agents, who are on its own host. */
  z.object({ ...header, kind: z.literal('areaRound'), areas: byAgent(areaQuestion) }),
  z.object({ ...header, kind: z.literal('areaReport'), hostId: z.string(), areas: byAgent(areaReport) }),
  /** Rounds of areas are over: what have they come to? */
  z.object({ ...header, kind: z.literal('settle'), areas: z.array(z.string()) }),
  z.object({ ...header, kind: z.literal('settled'), hostId: z.string(), areas: byAgent(areaOutcome) }),
  z.object({
    ...header,
    kind: z.literal('verify'),
    /** Complex voltage by port node, V, interleaved re/im. */
    agents: byAgent(z.object({ voltage: numbers, extra })),
    /** The dispatch to check, and to commit if commitment follows; that of the last round when absent. */
    candidate: z.object({ basis: z.enum(['new', 'inForce']), cut: z.number().min(-1).max(1) }).exactOptional(),
  }),
  z.object({ ...header, kind: z.literal('verified'), hostId: z.string(), agents: byAgent(verification), unreadable }),
  /** Linear models are moved onto the last AC solutions; rounds begin again. */
  z.object({ ...header, kind: z.literal('correct') }),
  z.object({
    ...header,
    kind: z.literal('commit'),
    /** Agents that are not to commit: the limits in force stay theirs. */
    held: z.array(z.string()).default([]),
  }),
  z.object({
    ...header,
    kind: z.literal('setpoints'),
    hostId: z.string(),
    agents: byAgent(z.array(setpoint)),
    unreadable,
  }),
  z.object({ ...header, kind: z.literal('agentError'), hostId: z.string(), agentId: z.string(), message: z.string() }),
  z.object({ ...header, kind: z.literal('leave'), reason: z.string().default('') }),
]);

/** Any message between coordinator and hosts. */
export type CoordinationMessage = Immutable<z.infer<typeof schema>>;
/** The kinds of coordination messages. */
export type CoordinationKind = CoordinationMessage['kind'];
/** A coordination message of one kind. */
export type CoordinationOf<Kind extends CoordinationKind> = Extract<CoordinationMessage, { readonly kind: Kind }>;
/** Targets of one agent in a round: `z - u` by port node. */
export type BoundaryTargets = Immutable<z.infer<typeof targets>>;
/** An agent's own choice of the boundary quantities. */
export type BoundaryAnswer = Immutable<z.infer<typeof boundary>>;
/** An agent's AC check. */
export type BoundaryVerification = Immutable<z.infer<typeof verification>>;
/** What an agent offers to a rule that couples agents. */
export type AgentOpening = Immutable<z.infer<typeof opening>>;
/** What one DER shall do. */
export type DerSetpoint = Immutable<z.infer<typeof setpoint>>;

const from = { runId: 'run-1', interval: 0, round: 0, sender: 'host-1', sequence: 1 };
const to = { ...from, sender: 'coordinator' };

/** One example per kind. */
export const coordinationExamples: Readonly<Record<CoordinationKind, unknown>> = {
  call: { ...to, kind: 'call' },
  hello: { ...from, kind: 'hello', hostId: 'host-1', agentIds: [], capacity: 500 },
  assign: { ...to, kind: 'assign', hostId: 'host-1', agents: { xf_1a: { bus: '1', nodes: [1], feeder: {} } } },
  assigned: { ...from, kind: 'assigned', hostId: 'host-1', agentIds: ['xf_1a'], rejected: { xf_2b: 'no transformer' } },
  watch: { ...to, kind: 'watch', simulationId: '1267312' },
  watching: { ...from, kind: 'watching', hostId: 'host-1', simulationId: '1267312' },
  prepare: { ...to, kind: 'prepare', timestamp: 1655321833, horizon: { pv: [1, 0.98] }, agents: {} },
  prepared: { ...from, kind: 'prepared', hostId: 'host-1', agents: { xf_1a: { isMeasured: true } } },
  round: {
    ...to,
    round: 3,
    kind: 'round',
    rho: 0.4,
    agents: { xf_1a: { targetW: [-9100], targetVar: [310], targetVoltageSquaredPu: [1.099], targetAlpha: 0.21 } },
  },
  boundary: {
    ...from,
    round: 3,
    kind: 'boundary',
    hostId: 'host-1',
    agents: {
      xf_1a: { powerW: [-9050], powerVar: [305], voltageSquaredPu: [1.0985], alpha: 0.2, status: 'solved' },
    },
  },
  open: { ...to, round: 1, kind: 'open' },
  opened: {
    ...from,
    round: 1,
    kind: 'opened',
    hostId: 'host-1',
    agents: {
      xf_1a: {
        powerW: [-9100],
        powerVar: [310],
        units: [{ availableW: 4800, usedW: 620, factor: 1, ratingVA: 5000, shareRe: [1], shareIm: [0] }],
      },
    },
  },
  dispatch: {
    ...to,
    round: 2,
    kind: 'dispatch',
    agents: { xf_1a: { alpha: [0.21], reactiveVar: [-900], voltageSquaredPu: [1.0985] } },
  },
  cuts: {
    ...from,
    round: 2,
    kind: 'cuts',
    hostId: 'host-1',
    agents: {
      xf_1a: { cuts: [{ limit: 4, perAlpha: [-0.0041], perVar: [1.2e-6], perPort: [1], most: 1.0997 }] },
    },
  },
  areaRound: { ...to, round: 4, kind: 'areaRound', areas: { 'area 18': areaExamples.question } },
  areaReport: {
    ...from,
    round: 4,
    kind: 'areaReport',
    hostId: 'host-1',
    areas: { 'area 18': areaExamples.answer },
  },
  settle: { ...to, round: 5, kind: 'settle', areas: ['area 18'] },
  settled: { ...from, round: 5, kind: 'settled', hostId: 'host-1', areas: { 'area 18': areaExamples.outcome } },
  verify: { ...to, kind: 'verify', agents: { xf_1a: { voltage: [2480.1, -12.4] } } },
  verified: {
    ...from,
    kind: 'verified',
    hostId: 'host-1',
    agents: {
      xf_1a: {
        powerW: [-9047],
        powerVar: [307],
        maxVoltagePu: 1.0499,
        minVoltagePu: 1.031,
        violations: 0,
        isConverged: true,
      },
    },
  },
  correct: { ...to, kind: 'correct' },
  commit: { ...to, kind: 'commit' },
  setpoints: {
    ...from,
    kind: 'setpoints',
    hostId: 'host-1',
    agents: {
      xf_1a: [{ derMrid: '0D2E1F77-0000-4000-8000-000000000001', setpointW: 3100, setpointVar: -400 }],
    },
  },
  agentError: { ...from, kind: 'agentError', hostId: 'host-1', agentId: 'xf_1a', message: 'no load measured' },
  leave: { ...from, kind: 'leave', reason: 'done' },
};

/** The part of each agent in answers of hosts. */
const PARTS: Readonly<Partial<Record<string, z.ZodType>>> = {
  prepared: told,
  boundary,
  opened: opening,
  cuts: brokenLimits,
  verified: verification,
  setpoints: z.array(setpoint),
};

/** An answer without the parts of agents that cannot be read; these are named in `unreadable`. */
function readableAnswer(payload: unknown): unknown {
  const answer = z
    .object({ kind: z.string(), agents: z.record(z.string(), z.unknown()) })
    .loose()
    .safeParse(payload).data;
  const part = answer && PARTS[answer.kind];
  if (part === undefined) return undefined;
  const agents: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  for (const [agentId, own] of Object.entries(answer!.agents)) {
    const fault = misfitOf(part, own);
    if (fault === undefined) agents[agentId] = own;
    else faults[agentId] = fault;
  }
  return { ...answer, agents, unreadable: faults };
}

/** Every message between coordinator and hosts. */
export const coordination = declareMessage({
  name: 'coordination',
  destination: '/topic/goss.gridappsd.dec.<runId>',
  schema,
  sift: readableAnswer,
  example: coordinationExamples.round,
});

/** Whether a message is of one kind. */
export function isKind<Kind extends CoordinationKind>(
  message: CoordinationMessage,
  kind: Kind,
): message is CoordinationOf<Kind> {
  return message.kind === kind;
}
