import { z } from 'zod';
import { BusError } from '../bus-error.js';
import {
  APPLICATION_LIST_QUEUE,
  applicationControlTopic,
  applicationHeartbeatQueue,
  applicationQueue,
} from './destination.js';
import { declareBareRequest, declareMessage, type Immutable, identifier } from './message.js';

const EXAMPLE_INSTANCE = 'sample_app-0d6d2b43-7f5b-4f0c-a2f8-3fb2d8f1da4b';

/** Also a part of destinations. */
const APPLICATION_ID = /^[^\s*>/"]+$/;

const texts = z
  .array(z.unknown())
  .nullish()
  .transform((list) => (list ?? []).map(String));

/** An application as it describes itself; keys that are not named here are kept. */
const registrationSchema = z.looseObject({
  id: z.string().regex(APPLICATION_ID, 'an id without blanks, quotes, "/", "*" and ">" expected'),
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

const exampleApplication = {
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
};

/** Registration of a remote application. */
export const applicationRegistration = declareMessage({
  name: 'application registration',
  destination: applicationQueue('remote.register'),
  alsoOn: [applicationQueue('register')],
  schema: registrationSchema,
  example: exampleApplication,
});

/** Answer to a registration, without envelope. */
export const applicationRegistered = declareMessage({
  name: 'application registration reply',
  destination: applicationQueue('remote.register'),
  alsoOn: [applicationQueue('register')],
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
  alsoOn: (['get', 'deregister', 'stop', 'stopinstance'] as const).map(applicationQueue),
  schema: commandSchema,
  example: { id: 'sample_app', simulation_id: '1267312' },
  moreExamples: { 'one instance': { instanceId: EXAMPLE_INSTANCE } },
});

/** Answer to a start, without envelope. */
export const applicationStarted = declareMessage({
  name: 'application start reply',
  destination: applicationQueue('start'),
  schema: z.object({ instanceId: z.string() }),
  example: { instanceId: EXAMPLE_INSTANCE },
});

/** Answer to a stop, without envelope. */
export const applicationStopped = declareMessage({
  name: 'application stop reply',
  destination: applicationQueue('stop'),
  alsoOn: [applicationQueue('stopinstance')],
  schema: z.object({ status: z.literal('STOPPED') }),
  example: { status: 'STOPPED' },
});

/** Answer to a deregistration, without envelope. */
export const applicationDeregistered = declareMessage({
  name: 'application deregistration reply',
  destination: applicationQueue('deregister'),
  schema: z.object({ status: z.literal('DEREGISTERED') }),
  example: { status: 'DEREGISTERED' },
});

/** Answer to a question for one application: as it registered, without envelope. */
export const applicationReply = declareMessage({
  name: 'application reply',
  destination: applicationQueue('get'),
  schema: registrationSchema,
  example: exampleApplication,
});

/** Question for the registered applications. */
export const applicationListRequest = declareBareRequest('application list request', [
  applicationQueue('list'),
  APPLICATION_LIST_QUEUE,
]);

/** Answer with the registered applications, without envelope. */
export const applicationListReply = declareMessage({
  name: 'application list reply',
  destination: applicationQueue('list'),
  alsoOn: [APPLICATION_LIST_QUEUE],
  schema: z.object({ applications: z.array(registrationSchema) }),
  example: { applications: [exampleApplication] },
});

/** Sign of life of a remote application: its id, no JSON. */
export const applicationHeartbeat = {
  name: 'application heart-beat',
  destination: '/queue/goss.gridappsd.remoteapp.heartbeat.<applicationId>',
  example: 'sample_app',
  /** @throws BusError `BAD_MESSAGE` for what is no id */
  parse(body: string, destination = '/queue/goss.gridappsd.remoteapp.heartbeat.<applicationId>'): string {
    const applicationId = body.trim();
    if (APPLICATION_ID.test(applicationId)) return applicationId;
    throw new BusError(
      'BAD_MESSAGE',
      `Malformed application heart-beat message on ${destination}: the id of an application expected. The message was ignored.`,
      { destination, message: 'application heart-beat', path: '' },
    );
  },
  format: (applicationId: string): string => applicationId,
} as const;

/** What a remote application gets to be started with. */
export const applicationStart = declareMessage({
  name: 'application start',
  destination: '/topic/goss.gridappsd.remoteapp.start.<applicationId>',
  schema: z.object({ command: z.string() }),
  example: { command: 'python runsample.py 1267312' },
});

/** What a remote application gets to be stopped with, all of it or one instance. */
export const applicationStop = declareMessage({
  name: 'application stop',
  destination: '/topic/goss.gridappsd.remoteapp.stop.<applicationId>',
  schema: z.object({ id: z.string(), instanceId: z.string().exactOptional() }),
  example: { id: 'sample_app', instanceId: EXAMPLE_INSTANCE },
});
