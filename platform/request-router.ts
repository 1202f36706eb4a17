import { randomInt, randomUUID } from 'node:crypto';
import {
  AGENT_REGISTRY_QUEUE,
  APPLICATION_HEARTBEATS,
  APPLICATION_LIST_QUEUE,
  AREA_TOPOLOGY_QUEUE,
  applicationCommand,
  applicationDeregistered,
  applicationHeartbeat,
  applicationListReply,
  applicationQueue,
  applicationRegistered,
  applicationRegistration,
  applicationReply,
  applicationStarted,
  applicationStopped,
  asError,
  BusError,
  type BusHub,
  type ClaimedMessage,
  CONFIGURATION_QUEUE,
  configurationRequest,
  contextManagerBus,
  DYNAMIC_YBUS_REQUESTS,
  dynamicYbusReply,
  dynamicYbusRequest,
  dynamicYbusSimulation,
  FIELD_MANAGER_QUEUE,
  FIELD_REQUESTS,
  type FieldRequest,
  fieldRequest,
  formatErrorReply,
  LOG_QUERY_QUEUE,
  MODEL_QUERY_QUEUE,
  modelQuery,
  PLATFORM_LOG_TOPIC,
  PLATFORM_REQUESTS,
  PLATFORM_STATUS_QUEUE,
  platformStatus,
  platformStatusRequest,
  ROLES_QUEUE,
  rolesReply,
  SERVICE_LIST_QUEUE,
  SIMULATION_INPUTS,
  SIMULATION_LOGS,
  SIMULATION_REQUEST_QUEUE,
  SIMULATION_TEST_INPUTS,
  type SimulationRequest,
  STATIC_YBUS_QUEUE,
  serviceListReply,
  simulationEvents,
  simulationInput,
  simulationInputTopic,
  simulationLog,
  simulationRequest,
  simulationStarted,
  simulationTestInput,
  staticYbusRequest,
  TIME_SERIES_QUEUE,
  TOKEN_TOPIC,
  TOPOLOGY_QUEUE,
  timeSeriesQuery,
  unknownSimulationKeys,
} from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import type { ApplicationService } from './application-service.js';
import type { ConfigurationService } from './configuration-service.js';
import type { FieldService } from './field-service.js';
import { answerLogQuery } from './log-query.js';
import type { LogService } from './log-service.js';
import type { ModelAnswer, ModelService } from './model-service.js';
import type { SimulationHost } from './simulation/host.js';
import { platformStatusOf, SERVICES } from './status-service.js';
import type { TimeSeriesService } from './time-series.js';
import type { TokenService } from './token-service.js';
import type { TopologyService } from './topology-service.js';

/** Largest process id, exclusive. */
const PROCESS_ID_MAX = 2_000_000_000;
/** Part of the platform that speaks in log lines of this file. */
const SOURCE = 'platform';

/** The services requests go to. */
export interface PlatformServices {
  readonly hub: BusHub;
  readonly log: LogService;
  readonly tokens: TokenService;
  readonly models: ModelService;
  readonly configurations: ConfigurationService;
  readonly simulations: SimulationHost;
  readonly field: FieldService;
  readonly topology: TopologyService;
  readonly applications: ApplicationService;
  readonly timeSeries: TimeSeriesService;
  /** Writes an answer with its process id in the envelope. */
  readonly writeReply: (data: unknown, id: string) => string;
  /** Called at every sign of an application that is likely to ask for SPARQL: a token, a question about models. */
  readonly onApplication: () => void;
  /** The feeder whose field bus applications without a choice use. */
  readonly fieldModelMrid: () => string | undefined;
}

/** A new process id: a positive number as text. */
export function newProcessId(): string {
  return String(randomInt(1, PROCESS_ID_MAX));
}

/**
 * Takes every request to the platform and answers it. A message that cannot be read or carried out gets one answer in the
 * platform's error shape and a WARN line that names the destination; nothing a client sends ends a service.
 */
export function routeRequests(services: PlatformServices): void {
  const { hub, log, field } = services;
  const refuse = (message: ClaimedMessage, thrown: unknown): void => {
    const error = asError(thrown);
    const isExpected = error instanceof DecError || error instanceof BusError;
    const text = isExpected ? error.message : `Internal error: ${error.message}`;
    log.platform({
      source: SOURCE,
      level: isExpected ? 'WARN' : 'ERROR',
      message: `${message.destination}: ${text}`,
    });
    message.reply(formatErrorReply(text, newProcessId()));
  };
  const guarded =
    (handle: Handler) =>
    (message: ClaimedMessage): void | Promise<void> => {
      try {
        const work = handle(message);
        return work instanceof Promise ? work.catch((thrown: unknown) => refuse(message, thrown)) : work;
      } catch (thrown) {
        refuse(message, thrown);
      }
    };
  hub.claim(
    TOKEN_TOPIC,
    guarded((message) => {
      services.onApplication();
      const answer = services.tokens.answer(message.body);
      // The broker's seat reports what a promise fails with.
      if (answer instanceof Promise) return answer.then((token) => message.reply(token));
      return message.reply(answer);
    }),
  );
  const routes = platformRoutes(services);
  hub.claim(
    PLATFORM_REQUESTS,
    guarded((message) => {
      const handle = routes.get(nameOf(message.destination));
      if (handle) return handle(message);
      throw new DecError('UNSUPPORTED', `This platform has no service on ${message.destination}.`, {
        destination: message.destination,
      });
    }),
  );
  hub.claim(
    nameOf(AREA_TOPOLOGY_QUEUE),
    guarded((message) => message.reply(JSON.stringify(field.answerTopology(message.body, message.destination)))),
  );
  hub.claim(
    nameOf(TOPOLOGY_QUEUE),
    guarded((message) => message.reply(JSON.stringify(services.topology.answer(message.body)))),
  );
  hub.claim(
    SIMULATION_INPUTS,
    guarded((message) => refuseStranger(services, simulationOf(message), message.login)),
    (message) => !mayHold(services, simulationOf(message), message.login) && isHolding(message),
  );
  hub.claim(
    SIMULATION_TEST_INPUTS,
    guarded((message) => {
      const id = message.destination.slice(SIMULATION_TEST_INPUTS.length - 1);
      const received = simulationTestInput.parse(message.body, message.destination);
      const { simulations } = services;
      if (received.command !== 'query_events') {
        simulations.planEvents(
          id,
          received.events.map((event) => ({ faultMRID: `_${randomUUID()}`, ...event })),
        );
      }
      message.reply(simulationEvents.format({ data: simulations.listEvents(id) }));
    }),
  );
  // Log lines of applications go their way; they are only looked at on it.
  for (const topic of [SIMULATION_LOGS, PLATFORM_LOG_TOPIC]) {
    hub.claim(
      topic,
      () => undefined,
      (message) => {
        keepLine(services, message);
        return false;
      },
    );
  }
  hub.claim(
    APPLICATION_HEARTBEATS,
    guarded(({ body, destination }) => services.applications.heartbeat(applicationHeartbeat.parse(body, destination))),
  );
  hub.claim(
    nameOf(STATIC_YBUS_QUEUE),
    guarded(({ body, destination, reply }) => {
      const { requestType, feeder_id } = staticYbusRequest.parse(body, destination);
      refuseOtherThanSnapshot(requestType);
      reply(JSON.stringify(services.configurations.staticYbus(feeder_id)));
    }),
  );
  hub.claim(
    DYNAMIC_YBUS_REQUESTS,
    guarded(({ body, destination, reply }) => {
      const { requestType } = dynamicYbusRequest.parse(body, destination);
      refuseOtherThanSnapshot(requestType);
      const simulationId = dynamicYbusSimulation(destination);
      const { feederId, timestamp, ybus } = services.simulations.admittances(simulationId);
      const answer = { feeder_id: feederId, simulation_id: simulationId, timestamp, ybus };
      reply(dynamicYbusReply.format(answer));
    }),
  );
  hub.claim(
    FIELD_REQUESTS,
    guarded((message) => {
      const busId = contextManagerBus(message.destination) ?? '';
      const request = fieldRequest.parse(message.body, message.destination);
      refuseForwarding(services, request, message);
      const answer = field.answerManager(busId, request);
      if (answer !== undefined) message.reply(JSON.stringify(answer));
    }),
    ({ destination }) => contextManagerBus(destination) !== undefined,
  );
  hub.claim(
    nameOf(AGENT_REGISTRY_QUEUE),
    guarded((message) => {
      const request = fieldRequest.parse(registration(message.body), message.destination);
      refuseForwarding(services, request, message);
      field.answerPlatform(request);
    }),
  );
}

type Handler = (message: ClaimedMessage) => void | Promise<void>;

/** What is done with each request to the platform, by the name of its destination. */
export function platformRoutes(services: PlatformServices): ReadonlyMap<string, Handler> {
  const { tokens, models, configurations, simulations, field, log, applications, timeSeries, writeReply } = services;
  const enveloped =
    (answer: (message: ClaimedMessage) => unknown): Handler =>
    (message) =>
      message.reply(writeReply(answer(message), newProcessId()));
  const routes: readonly (readonly [string, Handler])[] = [
    [
      MODEL_QUERY_QUEUE,
      (message) => {
        services.onApplication();
        const id = newProcessId();
        const send = (answer: ModelAnswer): void =>
          message.reply('body' in answer ? answer.body : writeReply(answer.data, id));
        const answer = models.answer(modelQuery.parse(message.body, message.destination), id);
        return answer instanceof Promise ? answer.then(send) : send(answer);
      },
    ],
    [
      CONFIGURATION_QUEUE,
      enveloped(({ body, destination }) => configurations.answer(configurationRequest.parse(body, destination))),
    ],
    [
      TIME_SERIES_QUEUE,
      enveloped(({ body, destination }) => timeSeries.answer(timeSeriesQuery.parse(body, destination))),
    ],
    [LOG_QUERY_QUEUE, enveloped(({ body, destination }) => answerLogQuery(log, body, destination))],
    [ROLES_QUEUE, (message) => message.reply(rolesReply.format({ roles: tokens.roles(message.login) }))],
    [
      PLATFORM_STATUS_QUEUE,
      (message) => {
        const request = platformStatusRequest.parse(message.body.trim() || '{}', message.destination);
        const status = platformStatusOf(request, simulations.runs(), services.fieldModelMrid(), applications);
        message.reply(platformStatus.format(status));
      },
    ],
    [
      FIELD_MANAGER_QUEUE,
      (message) => {
        const request = fieldRequest.parse(message.body, message.destination);
        refuseForwarding(services, request, message);
        const answer = field.answerPlatform(request);
        if (answer !== undefined) message.reply(JSON.stringify(answer));
      },
    ],
    [SIMULATION_REQUEST_QUEUE, (message) => carryOut(services, message)],
    ...applicationRoutes(services),
  ];
  return new Map(routes.map(([destination, handle]) => [nameOf(destination), handle]));
}

/** Requests about remote applications; their answers have no envelope. */
function applicationRoutes({ applications, tokens }: PlatformServices): readonly (readonly [string, Handler])[] {
  const command = ({ body, destination }: ClaimedMessage) => applicationCommand.parse(body, destination);
  const register: Handler = ({ body, destination, login, reply }) => {
    const application = applicationRegistration.parse(body, destination);
    reply(applicationRegistered.format(applications.register(application, tokens.userOf(login))));
  };
  const list: Handler = ({ reply }) => reply(applicationListReply.format({ applications: applications.list() }));
  const stop: Handler = (message) => {
    applications.stop(command(message));
    message.reply(applicationStopped.format({ status: 'STOPPED' }));
  };
  return [
    [applicationQueue('remote.register'), register],
    [applicationQueue('register'), register],
    [applicationQueue('list'), list],
    [APPLICATION_LIST_QUEUE, list],
    [SERVICE_LIST_QUEUE, ({ reply }) => reply(serviceListReply.format({ services: SERVICES }))],
    [applicationQueue('get'), (message) => message.reply(applicationReply.format(applications.get(command(message))))],
    [
      applicationQueue('start'),
      (message) => {
        const { instance_id: instanceId } = applications.start(command(message));
        message.reply(applicationStarted.format({ instanceId }));
      },
    ],
    [applicationQueue('stop'), stop],
    [applicationQueue('stopinstance'), stop],
    [
      applicationQueue('deregister'),
      (message) => {
        applications.deregister(command(message));
        message.reply(applicationDeregistered.format({ status: 'DEREGISTERED' }));
      },
    ],
  ];
}

/** @throws DecError `UNSUPPORTED` */
function refuseOtherThanSnapshot(requestType: string): void {
  if (requestType === 'GET_SNAPSHOT_YBUS') return;
  const message = `The request type "${requestType}" is not supported; ask for GET_SNAPSHOT_YBUS.`;
  throw new DecError('UNSUPPORTED', message, { requestType });
}

function carryOut({ simulations, tokens, log, applications }: PlatformServices, message: ClaimedMessage): void {
  const request = readSimulationRequest(message);
  const unknown = unknownSimulationKeys(message.body);
  const warn = (text: string): void => log.platform({ source: SOURCE, level: 'WARN', message: text });
  if (unknown.length > 0) {
    const keys = unknown.join(', ');
    warn(`${message.destination}: this platform has no meaning for ${keys} of a simulation request; no effect.`);
  }
  const { type, simulationId = '' } = request;
  switch (type.toUpperCase()) {
    case 'NEW': {
      const events = request.events.map((event) => ({ faultMRID: `_${randomUUID()}`, ...event }));
      const id = simulations.start({ ...request, events }, tokens.userOf(message.login));
      message.reply(simulationStarted.format({ simulationId: id, events }));
      for (const { name } of request.applications) {
        if (typeof name !== 'string' || name === '') continue;
        try {
          applications.start({ id: name, simulation_id: id }, message.body);
        } catch (error) {
          warn(`Simulation ${id} runs without the application ${name}: ${asError(error).message}`);
        }
      }
      return;
    }
    case 'STOP':
      refuseStranger({ simulations, tokens }, simulationId, message.login);
      simulations.stop(simulationId);
      return;
    case 'PAUSE':
      refuseStranger({ simulations, tokens }, simulationId, message.login);
      simulations.command(simulationId, { command: 'pause' });
      return;
    case 'RESUME':
      refuseStranger({ simulations, tokens }, simulationId, message.login);
      simulations.command(simulationId, { command: 'resume' });
      return;
    default:
      throw new DecError('BAD_ARGUMENT', `Simulation request type not recognized: ${type}`, { type });
  }
}

/**
 * Whether a login may stop, pause, resume or scale a simulation: who started it may, and an administrator; what has no user is this
 * process.
 */
function mayHold({ simulations, tokens }: HoldJudges, simulationId: string, login: string): boolean {
  const owner = simulations.ownerOf(simulationId);
  const user = tokens.userOf(login);
  return owner === undefined || login === '' || user === owner || tokens.roles(login).includes('admin');
}

type HoldJudges = Pick<PlatformServices, 'simulations' | 'tokens'>;

/** @throws DecError `BAD_ARGUMENT` */
function refuseStranger(services: HoldJudges, simulationId: string, login: string): void {
  if (mayHold(services, simulationId, login)) return;
  const user = services.tokens.userOf(login);
  throw new DecError(
    'BAD_ARGUMENT',
    `Only its owner may stop, pause, resume or scale the simulation ${simulationId}; ${user} is not.`,
    { simulationId, user },
  );
}

/**
 * A command of the field bus goes on in the platform's own name: it may carry differences alone, and only of who may send to the
 * simulation.
 *
 * @throws DecError `BAD_ARGUMENT`
 */
function refuseForwarding({ tokens }: PlatformServices, request: FieldRequest, { login }: ClaimedMessage): void {
  if (request.request_type !== 'control_command') return;
  const { simulation_id } = request.difference_builder.input;
  if (simulation_id === undefined) return;
  const topic = simulationInputTopic(simulation_id);
  const { command } = simulationInput.parse(JSON.stringify(request.difference_builder), topic);
  if (command !== 'update') {
    throw new DecError(
      'BAD_ARGUMENT',
      `A control_command carries differences (command "update"), not "${command}"; send that to ${topic} as the owner of the simulation.`,
      { simulationId: simulation_id, command },
    );
  }
  if (login === '' || tokens.authorize(login, 'send', topic)) return;
  const user = tokens.userOf(login);
  throw new DecError('BAD_ARGUMENT', `${user} may not send to ${topic}, so no control_command goes there.`, {
    simulationId: simulation_id,
    user,
  });
}

/** The simulation whose input topic a message came on. */
function simulationOf({ destination }: ClaimedMessage): string {
  return destination.slice(SIMULATION_INPUTS.length - 1);
}

/** Whether a message on an input topic stops, pauses, resumes or scales the simulation. */
function isHolding({ body, destination }: ClaimedMessage): boolean {
  try {
    return ['stop', 'pause', 'resume', 'resumePauseAt', 'scale'].includes(
      simulationInput.parse(body, destination).command,
    );
  } catch {
    // What cannot be read changes nothing; the simulation's own log says why.
    return false;
  }
}

function readSimulationRequest({ body, destination }: ClaimedMessage): SimulationRequest {
  if (body.trim() === '' || body.trim() === 'null') throw new DecError('PROTOCOL', 'Simulation request is null');
  try {
    return simulationRequest.parse(body, destination);
  } catch (error) {
    const reason = asError(error).message;
    throw new DecError(
      'PROTOCOL',
      `Simulation request could not be parsed: ${reason}`,
      { destination },
      { cause: error },
    );
  }
}

/** Keeps a line for questions where it is meant to be kept; one that cannot be read is named in a line of our own. */
function keepLine(
  { log, tokens }: Pick<PlatformServices, 'log' | 'tokens'>,
  { body, destination, login }: ClaimedMessage,
): void {
  try {
    const line = simulationLog.parse(body, destination);
    // A foreign broker does not say who sent a message.
    if (line.storeToDb) log.keep(line, tokens.userOf(login) || 'unknown');
  } catch (error) {
    log.platform({ source: SOURCE, level: 'WARN', message: asError(error).message });
  }
}

/** A registration may come bare, as context managers forward it, or as a request. */
function registration(body: string): string {
  return body.includes('"request_type"') ? body : `{"request_type":"register_agent","agent":${body}}`;
}

/** Name of a destination without `/queue/` or `/topic/`. */
function nameOf(destination: string): string {
  return destination.replace(/^\/(queue|topic)\//, '');
}
