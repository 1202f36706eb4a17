import { z } from 'zod';
import { declareMessage, type Immutable } from './message.js';

/*
 * How people act on a run that goes on. A control is sent to the run's own queue with a `reply-to`; the coordinator answers at
 * once whether it takes it, and carries it out between two intervals: the next one has it. What was refused and what was
 * done is in the run's events and in its manifest.
 */

const by = {
  /** Who asks, for the record: a user, a page, a script. Nothing is decided by it. */
  by: z.string().max(200).exactOptional(),
};
const pu = z.number().positive().max(2);
const multiplier = z.number().nonnegative().max(100);

const control = z.discriminatedUnion('kind', [
  /** Nothing is coordinated, and the simulation stands still, until it is resumed. */
  z.object({ ...by, kind: z.literal('pause') }),
  z.object({ ...by, kind: z.literal('resume') }),
  /** One interval more, then pause again. */
  z.object({ ...by, kind: z.literal('step') }),
  /** Ends the run; what is done so far is written. */
  z.object({ ...by, kind: z.literal('stop') }),
  /** Who is curtailed, by the name of a rule. */
  z.object({ ...by, kind: z.literal('fairness'), mode: z.string() }),
  z.object({ ...by, kind: z.literal('limits'), minPu: pu, maxPu: pu }),
  /** Of every load and every PV system of the simulation; what is absent stays. */
  z.object({
    ...by,
    kind: z.literal('multipliers'),
    load: multiplier.exactOptional(),
    pv: multiplier.exactOptional(),
  }),
  /** A switch of the feeder, by name. */
  z.object({ ...by, kind: z.literal('switch'), name: z.string().min(1), isOpen: z.boolean() }),
  /** An agent that is dropped is asked nothing: its limits stay in force, and the others coordinate around it. */
  z.object({ ...by, kind: z.literal('agent'), agentId: z.string().min(1), isDropped: z.boolean() }),
]);

/** Something that people ask of a run. */
export type RunControl = Immutable<z.infer<typeof control>>;
/** The kinds of controls. */
export type RunControlKind = RunControl['kind'];

/** One example per kind. */
export const runControlExamples: Readonly<Record<RunControlKind, unknown>> = {
  pause: { kind: 'pause' },
  resume: { kind: 'resume' },
  step: { kind: 'step' },
  stop: { kind: 'stop', by: 'operator' },
  fairness: { kind: 'fairness', mode: 'equalAlpha' },
  limits: { kind: 'limits', minPu: 0.95, maxPu: 1.045, by: 'operator' },
  multipliers: { kind: 'multipliers', load: 0.3, pv: 1.2 },
  switch: { kind: 'switch', name: 'sw2', isOpen: true },
  agent: { kind: 'agent', agentId: '85c', isDropped: true },
};

/** Something that people ask of a run. */
export const runControl = declareMessage({
  name: 'run control',
  destination: '/queue/goss.gridappsd.run.<runId>.control',
  schema: control,
  example: runControlExamples.limits,
});

/** Whether a control is taken. */
export const runControlReply = declareMessage({
  name: 'run control answer',
  destination: "the request's reply-to",
  schema: z.object({
    isAccepted: z.boolean(),
    /** What will be done and when, or why it will not. */
    reason: z.string(),
  }),
  example: { isAccepted: false, reason: 'The run has no agent 85x.' },
});

/** An answer to a control. */
export type RunControlReply = ReturnType<typeof runControlReply.parse>;

/** A run to begin beside the dashboard, which starts it as `dec run` does; what is absent has the defaults of that command. */
export const runStart = declareMessage({
  name: 'run start',
  destination: '/queue/goss.gridappsd.run.start',
  schema: z.object({
    ...by,
    /** Name or mRID of a feeder that is known; the built-in one when absent. */
    feeder: z.string().max(200).exactOptional(),
    intervals: z.int().min(1).max(10_000).exactOptional(),
    /** Simulated seconds from one interval to the next. */
    intervalS: z.int().min(1).max(86_400).exactOptional(),
    /** Seconds after midnight. */
    startS: z.int().min(0).max(86_399).exactOptional(),
    fairness: z.string().exactOptional(),
    loadMultiplier: multiplier.exactOptional(),
    pvMultiplier: multiplier.exactOptional(),
    sourceVoltagePu: pu.exactOptional(),
    minPu: pu.exactOptional(),
    maxPu: pu.exactOptional(),
    /** Waits before its first interval until it is resumed. */
    isPaused: z.boolean().exactOptional(),
  }),
  example: { feeder: 'ieee123sec_dec', intervals: 6, intervalS: 900, startS: 39_600, fairness: 'proportional' },
});

/** A run to begin. */
export type RunStart = ReturnType<typeof runStart.parse>;

/** What came of a start. */
export const runStartReply = declareMessage({
  name: 'run start answer',
  destination: "the request's reply-to",
  schema: z.object({
    isAccepted: z.boolean(),
    reason: z.string(),
    /** Name of the run, under which it is watched. */
    run: z.string().exactOptional(),
  }),
  example: { isAccepted: true, reason: 'It begins.', run: 'ieee123sec_dec_2026-04-21T1100_3f9a1c' },
});

/** An answer to a start. */
export type RunStartReply = ReturnType<typeof runStartReply.parse>;
