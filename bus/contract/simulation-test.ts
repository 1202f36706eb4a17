import { z } from 'zod';
import { declareMessage, type Immutable } from './message.js';

const events = z.array(z.record(z.string(), z.unknown()));

const commandSchema = z.discriminatedUnion('command', [
  z.object({ command: z.literal('new_events'), events }),
  z.object({ command: z.literal('update_events'), events }),
  z.object({ command: z.literal('query_events') }),
]);

/** What is to be done with the events of a running simulation. */
export type SimulationTestCommand = Immutable<z.infer<typeof commandSchema>>;

/** Events for a running simulation; `query_events` is answered with `data`, a list of events with their `status`. */
export const simulationTestInput = declareMessage({
  name: 'simulation test input',
  destination: '/topic/goss.gridappsd.simulation.test.input.<simulationId>',
  schema: commandSchema,
  example: {
    command: 'new_events',
    events: [
      {
        event_type: 'CommOutage',
        occuredDateTime: 1655321840,
        stopDateTime: 1655321860,
        allOutputOutage: false,
        allInputOutage: false,
        inputOutageList: [{ objectMRID: '_0D2E1F77-0000-4000-8000-000000000001', attribute: 'Switch.open' }],
        outputOutageList: ['_0a2d1460-0def-479a-9f66-a7963a5619de'],
      },
    ],
  },
  moreExamples: { 'the events of a simulation': { command: 'query_events' } },
});

/** An event as it was sent, with its `faultMRID`. */
const eventSchema = z.looseObject({ status: z.string() });

/** A planned event with its status: `SCHEDULED`, `INITIATED` or `CLEARED`. */
export type SimulationEvent = Immutable<z.infer<typeof eventSchema>>;

/** Answer to every command of the test input: all events as they were sent, each with its id and status. */
export const simulationEvents = declareMessage({
  name: 'simulation events reply',
  destination: '/topic/goss.gridappsd.simulation.test.input.<simulationId>',
  schema: z.object({ data: z.array(eventSchema) }),
  example: {
    data: [
      {
        faultMRID: '_6b1e2c1c-3a3e-4b69-9d7c-0a5f7f1a2b3c',
        event_type: 'CommOutage',
        occuredDateTime: 1655321840,
        stopDateTime: 1655321860,
        allOutputOutage: false,
        allInputOutage: false,
        inputOutageList: [{ objectMRID: '_0D2E1F77-0000-4000-8000-000000000001', attribute: 'Switch.open' }],
        outputOutageList: ['_0a2d1460-0def-479a-9f66-a7963a5619de'],
        status: 'SCHEDULED',
      },
    ],
  },
});

/** Alarms of the service `gridappsd-alarms`: switching devices and capacitors that changed their state. */
export const simulationAlarms = declareMessage({
  name: 'alarms',
  destination: '/topic/goss.gridappsd.simulation.gridappsd-alarms.<simulationId>.output',
  schema: z.array(
    z.object({
      equipment_mrid: z.string(),
      equipment_name: z.string(),
      phases: z.string(),
      value: z.string(),
      created_by: z.string(),
    }),
  ),
  example: [
    {
      equipment_mrid: '_0D2E1F77-0000-4000-8000-000000000001',
      equipment_name: 'sw2',
      phases: 'ABC',
      value: 'Open',
      created_by: 'simulation',
    },
  ],
});

/** Violations of the service `gridappsd-voltage-violation`: pu of nominal by measurement, outside 0.95 to 1.05. */
export const voltageViolations = declareMessage({
  name: 'voltage violations',
  destination: '/topic/goss.gridappsd.simulation.gridappsd-voltage-violation.<simulationId>.output',
  schema: z.record(z.string(), z.number()),
  example: { '_0a2d1460-0def-479a-9f66-a7963a5619de': 1.0623 },
});
