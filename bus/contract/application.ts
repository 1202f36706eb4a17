import { z } from 'zod';
import { applicationControlTopic, applicationHeartbeatQueue, applicationQueue } from './destination.js';
import { declareMessage, type Immutable, identifier } from './message.js';

const texts = z
  .array(z.unknown())
  .nullish()
  .transform((list) => (list ?? []).map(String));

/** An application as it describes itself; keys that are not named here are kept. */
const registrationSchema = z.looseObject({
  id: z.string().regex(/^[^\s*>/]+$/, 'an id without blanks, "/", "*" and ">" expected'),
  description: z.string().nullish(),
  creator: z.string().nullish(),
  execution_path: z.string().default(''),
  /** Words after the path; `(simulationId)` and `(request)` stand for what the application is started for. */
  options: texts,
  type: z.string().default('REMOTE'),
  multiple_instances: z.boolean().default(true),
});

/** An application as it describes itself. */
export type ApplicationRegistration = Immutable<z.infer<typeof registrationSchema>>;

/** Registration of a remote application. */
export const applicationRegistration = declareMessage({
  name: 'application registration',
  destination: applicationQueue('remote.register'),
  schema: registrationSchema,
  example: {
    id: 'sample_app',
    description: 'toggles capacitors',
    creator: 'PNNL',
    inputs: [],
    outputs: [],
    options: ['(simulationId)', "'(request)'"],
    execution_path: 'python /usr/src/gridappsd-sample/sample_app/runsample.py',
    type: 'REMOTE',
    launch_on_startup: false,
    prereqs: [],
    multiple_instances: true,
  },
});

/** Answer to a registration, without envelope. */
export const applicationRegistered = declareMessage({
  name: 'application registration reply',
  destination: applicationQueue('remote.register'),
  schema: z.object({
    applicationId: z.string(),
    heartbeatTopic: z.string(),
    startControlTopic: z.string(),
    stopControlTopic: z.string(),
    errorTopic: z.string(),
  }),
  example: {
    applicationId: 'sample_app',
    heartbeatTopic: applicationHeartbeatQueue('sample_app'),
    startControlTopic: applicationControlTopic('start', 'sample_app'),
    stopControlTopic: applicationControlTopic('stop', 'sample_app'),
    errorTopic: 'Error',
  },
});

const commandSchema = z.object({
  /** The application. */
  id: identifier.exactOptional(),
  appId: identifier.exactOptional(),
  instanceId: identifier.exactOptional(),
  simulation_id: identifier.exactOptional(),
  simulationId: identifier.exactOptional(),
  runtime_options: z.string().exactOptional(),
});

/** What is to be done with an application or an instance of it. */
export type ApplicationCommand = Immutable<z.infer<typeof commandSchema>>;

/** Get, start, stop, deregister: names the application or the instance. */
export const applicationCommand = declareMessage({
  name: 'application command',
  destination: applicationQueue('start'),
  schema: commandSchema,
  example: { id: 'sample_app', simulation_id: '1267312' },
});

/** What a remote application gets to be started with. */
export const applicationStart = declareMessage({
  name: 'application start',
  destination: '/topic/goss.gridappsd.remoteapp.start.<applicationId>',
  schema: z.object({ command: z.string() }),
  example: { command: 'python runsample.py 1267312' },
});
