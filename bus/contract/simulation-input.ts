import { z } from 'zod';
import { declareMessage, type Immutable, identifier, numeric } from './message.js';

const differenceSchema = z.object({
  /** mRID of the controlled object. */
  object: z.string(),
  /** Qualified CIM attribute, such as `PowerElectronicsConnection.p`. */
  attribute: z.string(),
  /** W, var, tap step, 0 or 1, or the structure of a fault. */
  value: z.unknown().optional(),
});

/**
 * Any entry of a list of differences. One that says nothing usable is refused by the name it has, beside the others: a message
 * that was refused as a whole would take good set-points with it.
 */
const entrySchema = z.preprocess((entry) => {
  if (typeof entry !== 'object' || entry === null) return { object: textOf(entry), attribute: '' };
  const part = (key: string): unknown => Reflect.get(entry, key);
  return { object: textOf(part('object')), attribute: textOf(part('attribute')), value: part('value') };
}, differenceSchema);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** One attribute of one object set to a value. */
export type AttributeDifference = Immutable<z.infer<typeof differenceSchema>>;

const updateSchema = z.object({
  command: z.literal('update'),
  input: z.object({
    simulation_id: identifier.exactOptional(),
    message: z.object({
      /** Epoch seconds; some senders write a date as text. */
      timestamp: z.union([z.number(), z.string()]).exactOptional(),
      difference_mrid: z.string().exactOptional(),
      reverse_differences: z.array(entrySchema).default([]),
      forward_differences: z.array(entrySchema),
    }),
  }),
});

const commandSchema = z.discriminatedUnion('command', [
  updateSchema,
  z.object({ command: z.literal('pause') }),
  z.object({ command: z.literal('resume') }),
  z.object({ command: z.literal('stop') }),
  z.object({
    command: z.literal('resumePauseAt'),
    /** Seconds of simulated time until the next pause. */
    input: z.object({ pauseIn: numeric }),
  }),
  /** Ours: loads and sun are multiplied by other factors than those of the request from the next step on. */
  z.object({
    command: z.literal('scale'),
    input: z.object({
      load_scaling_factor: z.number().nonnegative().exactOptional(),
      pv_scaling_factor: z.number().nonnegative().exactOptional(),
    }),
  }),
  z.object({ command: z.literal('isInitialized') }),
  z.object({ command: z.literal('StartSimulation'), input: z.unknown().optional() }),
  z.object({ command: z.literal('CommOutage'), input: z.unknown().optional() }),
]);

/** A command to a running simulation. */
export type SimulationCommand = Immutable<z.infer<typeof commandSchema>>;

/** A difference message: the only command that changes the grid. */
export type DifferenceMessage = Immutable<z.infer<typeof updateSchema>>;

/** Commands and difference messages to a simulation. */
export const simulationInput = declareMessage({
  name: 'simulation input',
  destination: '/topic/goss.gridappsd.simulation.input.<simulationId>',
  schema: commandSchema,
  example: {
    command: 'update',
    input: {
      simulation_id: '1267312',
      message: {
        timestamp: 1655321900,
        difference_mrid: '9f0ad1de-2bd1-4cb0-a2a2-6d4f1f4b6a55',
        reverse_differences: [
          { object: '_0D2E1F77-0000-4000-8000-000000000001', attribute: 'PowerElectronicsConnection.p', value: 4200 },
        ],
        forward_differences: [
          { object: '_0D2E1F77-0000-4000-8000-000000000001', attribute: 'PowerElectronicsConnection.p', value: 3100 },
        ],
      },
    },
  },
  moreExamples: {
    pause: { command: 'pause' },
    resume: { command: 'resume' },
    'resume until a later pause, s': { command: 'resumePauseAt', input: { pauseIn: 10 } },
    stop: { command: 'stop' },
    'start of a simulation that waits for it': { command: 'StartSimulation' },
    'other factors of loads and sun (not of GridAPPS-D)': {
      command: 'scale',
      input: { load_scaling_factor: 0.5, pv_scaling_factor: 1.2 },
    },
    'asks whether it runs; the answer is a log line': { command: 'isInitialized' },
    'outages as the real platform passes them on; the log says where to plan them': {
      command: 'CommOutage',
      input: {},
    },
  },
});
