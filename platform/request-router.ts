import { randomInt, randomUUID } from 'node:crypto';
import {
  AGENT_REGISTRY_QUEUE,
  AREA_TOPOLOGY_QUEUE,
  asError,
  BusError,
  type BusHub,
  type ClaimedMessage,
  CONFIGURATION_QUEUE,
  configurationRequest,
  contextManagerBus,
  FIELD_MANAGER_QUEUE,
  FIELD_REQUESTS,
  fieldRequest,
  formatErrorReply,
  formatReply,
  LOG_QUERY_QUEUE,
  MODEL_QUERY_QUEUE,
  modelQuery,
  PLATFORM_REQUESTS,
  PLATFORM_STATUS_QUEUE,
  platformStatusRequest,
  ROLES_QUEUE,
  SIMULATION_REQUEST_QUEUE,
  type SimulationRequest,
  simulationRequest,
  simulationStarted,
  TOKEN_TOPIC,
  unknownSimulationKeys,
} from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import type { ConfigurationService } from './configuration-service.js';
import type { FieldService } from './field-service.js';
import { answerLogQuery } from './log-query.js';
import type { LogService } from './log-service.js';
import type { ModelService } from './model-service.js';
import type { SimulationHost } from './simulation/host.js';
import { platformStatusOf } from './status-service.js';
import type { TokenService } from './token-service.js';

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
  const guarded =
    (handle: (message: ClaimedMessage) => void | Promise<void>) =>
    (message: ClaimedMessage): void | Promise<void> => {
      try {
        return handle(message);
      } catch (thrown) {
        const error = asError(thrown);
        const isExpected = error instanceof DecError || error instanceof BusError;
        const text = isExpected ? error.message : `Internal error: ${error.message}`;
        log.platform({
          source: SOURCE,
          level: isExpected ? 'WARN' : 'ERROR',
          message: `${message.destination}: ${text}`,
        });
        message.reply(formatErrorReply(text, newProcessId()));
      }
    };
  hub.claim(
    TOKEN_TOPIC,
    guarded((message) => {
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
      if (handle) handle(message);
      else {
        throw new DecError('UNSUPPORTED', `This platform has no service on ${message.destination}.`, {
          destination: message.destination,
        });
      }
    }),
  );
  hub.claim(
    nameOf(AREA_TOPOLOGY_QUEUE),
    guarded((message) => message.reply(JSON.stringify(field.answerTopology(message.body, message.destination)))),
  );
  hub.claim(
    FIELD_REQUESTS,
    guarded((message) => {
      const busId = contextManagerBus(message.destination) ?? '';
      const answer = field.answerManager(busId, fieldRequest.parse(message.body, message.destination));
      if (answer !== undefined) message.reply(JSON.stringify(answer));
    }),
    ({ destination }) => contextManagerBus(destination) !== undefined,
  );
  hub.claim(
    nameOf(AGENT_REGISTRY_QUEUE),
    guarded(({ body, destination }) => {
      field.answerPlatform(fieldRequest.parse(registration(body), destination));
    }),
  );
}

type Handler = (message: ClaimedMessage) => void;

function platformRoutes(services: PlatformServices): ReadonlyMap<string, Handler> {
  const { tokens, models, configurations, simulations, field, log } = services;
  const enveloped =
    (answer: (message: ClaimedMessage) => unknown): Handler =>
    (message) =>
      message.reply(formatReply(answer(message), newProcessId()));
  const routes: readonly (readonly [string, Handler])[] = [
    [MODEL_QUERY_QUEUE, enveloped(({ body, destination }) => models.answer(modelQuery.parse(body, destination)))],
    [
      CONFIGURATION_QUEUE,
      enveloped(({ body, destination }) => configurations.answer(configurationRequest.parse(body, destination))),
    ],
    [LOG_QUERY_QUEUE, enveloped(({ body, destination }) => answerLogQuery(log, body, destination))],
    [ROLES_QUEUE, (message) => message.reply(JSON.stringify({ roles: tokens.roles(message.login) }))],
    [
      PLATFORM_STATUS_QUEUE,
      (message) => {
        const request = platformStatusRequest.parse(message.body.trim() || '{}', message.destination);
        message.reply(JSON.stringify(platformStatusOf(request, simulations.runs(), services.fieldModelMrid())));
      },
    ],
    [
      FIELD_MANAGER_QUEUE,
      (message) => {
        const answer = field.answerPlatform(fieldRequest.parse(message.body, message.destination));
        if (answer !== undefined) message.reply(JSON.stringify(answer));
      },
    ],
    [SIMULATION_REQUEST_QUEUE, (message) => carryOut(simulations, message, log)],
  ];
  return new Map(routes.map(([destination, handle]) => [nameOf(destination), handle]));
}

function carryOut(simulations: SimulationHost, message: ClaimedMessage, log: LogService): void {
  const request = readSimulationRequest(message);
  const unknown = unknownSimulationKeys(message.body);
  if (unknown.length > 0) {
    const keys = unknown.join(', ');
    const text = `${message.destination}: this platform has no meaning for ${keys} of a simulation request; no effect.`;
    log.platform({ source: SOURCE, level: 'WARN', message: text });
  }
  const { type, simulationId = '' } = request;
  switch (type.toUpperCase()) {
    case 'NEW': {
      const id = simulations.start(request);
      const events = request.events.map((event) => ({ ...event, faultMRID: `_${randomUUID()}` }));
      message.reply(simulationStarted.format({ simulationId: id, events }));
      return;
    }
    case 'STOP':
      simulations.stop(simulationId);
      return;
    case 'PAUSE':
      simulations.command(simulationId, { command: 'pause' });
      return;
    case 'RESUME':
      simulations.command(simulationId, { command: 'resume' });
      return;
    default:
      throw new DecError('BAD_ARGUMENT', `Simulation request type not recognized: ${type}`, { type });
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

/** A registration may come bare, as context managers forward it, or as a request. */
function registration(body: string): string {
  return body.includes('"request_type"') ? body : `{"request_type":"register_agent","agent":${body}}`;
}

/** Name of a destination without `/queue/` or `/topic/`. */
function nameOf(destination: string): string {
  return destination.replace(/^\/(queue|topic)\//, '');
}
