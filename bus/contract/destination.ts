import { BusError } from '../bus-error.js';

/**
 * Every destination of the product, once. `/topic/` reaches all subscribers, `/queue/` exactly one of them; a bare name
 * is a queue. The platform's own names are those of GridAPPS-D; those of the coordination are ours.
 */

const PROCESS = 'goss.gridappsd.process.request';
const SIMULATION = 'goss.gridappsd.simulation';
const FIELD = 'goss.gridappsd.field';
const COORDINATION = 'goss.gridappsd.dec';
/** Apart from what coordinator and agents say: who carries agents need not be one who may act on runs. */
const RUNS = 'goss.gridappsd.run';

/** Token handshake: base64(`user:password`) is sent here. */
export const TOKEN_TOPIC = '/topic/pnnl.goss.token.topic';
/** All requests to the platform, as a wildcard over the two prefixes. */
export const PLATFORM_REQUESTS = `${PROCESS}.>`;
/** Questions about power grid models. */
export const MODEL_QUERY_QUEUE = `/queue/${PROCESS}.data.powergridmodel`;
/** Stored measurements. */
export const TIME_SERIES_QUEUE = `/queue/${PROCESS}.data.timeseries`;
/** Stored log lines. */
export const LOG_QUERY_QUEUE = `/queue/${PROCESS}.data.log`;
/** Configuration exports: dictionary, limits, Ybus, Vnom. */
export const CONFIGURATION_QUEUE = `/queue/${PROCESS}.config`;
/** Start and stop of simulations. */
export const SIMULATION_REQUEST_QUEUE = `/queue/${PROCESS}.simulation`;
/** Status of one simulation; defined upstream, without user. */
export const SIMULATION_STATUS_QUEUE = `/queue/${PROCESS}.status.simulation`;
/** Applications, services and their instances. */
export const PLATFORM_STATUS_QUEUE = `/queue/${PROCESS}.status.platform`;
/** Roles of the caller. */
export const ROLES_QUEUE = `/queue/${PROCESS}.roles`;
/** The field-bus manager of the platform. */
export const FIELD_MANAGER_QUEUE = `/queue/${PROCESS}.field`;
/** List of applications. */
export const APPLICATION_LIST_QUEUE = `/queue/${PROCESS}.list.apps`;
/** List of services. */
export const SERVICE_LIST_QUEUE = `/queue/${PROCESS}.list.services`;
/** Outputs of all simulations, as a wildcard. */
export const SIMULATION_OUTPUTS = `/topic/${SIMULATION}.output.>`;
/** Log lines of all simulations, as a wildcard. */
export const SIMULATION_LOGS = `/topic/${SIMULATION}.log.>`;
/** Test inputs of all simulations, as a wildcard. */
export const SIMULATION_TEST_INPUTS = `/topic/${SIMULATION}.test.input.>`;
/** Inputs of all simulations, as a wildcard. */
export const SIMULATION_INPUTS = `/topic/${SIMULATION}.input.>`;
/** Log lines of the platform itself. */
export const PLATFORM_LOG_TOPIC = '/topic/goss.gridappsd.platform.log';
/** Clock of the platform. */
export const TICK_TOPIC = '/topic/goss/system/tick';
/** Registrations of field agents, forwarded by context managers. */
export const AGENT_REGISTRY_QUEUE = `/queue/${FIELD}.register.agent`;
/** Distributed areas of a feeder. */
export const AREA_TOPOLOGY_QUEUE = '/queue/goss.gridappsd.request.data.cimtopology';
/** Older topology service. */
export const TOPOLOGY_QUEUE = '/queue/goss.gridappsd.request.data.topology';
/** Static Ybus service of the toolbox. */
export const STATIC_YBUS_QUEUE = '/queue/goss.gridappsd.request.data.static-ybus';
/** Questions for the admittances of running simulations, each under its id. */
export const DYNAMIC_YBUS_REQUESTS = 'goss.gridappsd.request.data.dynamic-ybus.>';

/** The simulation whose admittances a request is for. */
export function dynamicYbusSimulation(destination: string): string {
  return destination.replace(/^\/(queue|topic)\//, '').slice(DYNAMIC_YBUS_REQUESTS.length - 1);
}
/** Field measurements without a simulation. */
export const FIELD_OUTPUT_TOPIC = `/topic/${FIELD}.output`;
/** Field commands without a simulation. */
export const FIELD_INPUT_TOPIC = `/topic/${FIELD}.input`;

/** What one may do with a remote application. */
export type ApplicationAction =
  | 'remote.register'
  | 'register'
  | 'list'
  | 'get'
  | 'deregister'
  | 'start'
  | 'stop'
  | 'stopinstance';

/** Queue of application requests. */
export function applicationQueue(action: ApplicationAction): string {
  return `/queue/${PROCESS}.app.${action}`;
}

/** Heartbeats of all remote applications, as a wildcard over the two prefixes. */
export const APPLICATION_HEARTBEATS = 'goss.gridappsd.remoteapp.heartbeat.>';

/** Every queue of requests to the platform by name, for brokers without wildcards over queues. */
export const REQUEST_QUEUES: readonly string[] = [
  ...[MODEL_QUERY_QUEUE, TIME_SERIES_QUEUE, LOG_QUERY_QUEUE, CONFIGURATION_QUEUE, SIMULATION_REQUEST_QUEUE],
  ...[SIMULATION_STATUS_QUEUE, PLATFORM_STATUS_QUEUE, ROLES_QUEUE, FIELD_MANAGER_QUEUE],
  ...[APPLICATION_LIST_QUEUE, SERVICE_LIST_QUEUE],
  ...(['remote.register', 'register', 'list', 'get', 'deregister', 'start', 'stop', 'stopinstance'] as const).map(
    (action) => applicationQueue(action),
  ),
];

/** Heartbeat of a remote application. */
export function applicationHeartbeatQueue(applicationId: string): string {
  return `/queue/goss.gridappsd.remoteapp.heartbeat.${part(applicationId)}`;
}

/** Commands to a remote application. */
export function applicationControlTopic(action: 'start' | 'stop', applicationId: string): string {
  return `/topic/goss.gridappsd.remoteapp.${action}.${part(applicationId)}`;
}

/** Measurements of a simulation. */
export function simulationOutputTopic(simulationId: string): string {
  return `/topic/${SIMULATION}.output.${part(simulationId)}`;
}

/** Commands and difference messages to a simulation. */
export function simulationInputTopic(simulationId: string): string {
  return `/topic/${SIMULATION}.input.${part(simulationId)}`;
}

/** Log lines of a simulation. */
export function simulationLogTopic(simulationId: string): string {
  return `/topic/${SIMULATION}.log.${part(simulationId)}`;
}

/** Input or output of a service or application inside a simulation. */
export function serviceTopic(serviceId: string, simulationId: string, way: 'input' | 'output'): string {
  return `/topic/${SIMULATION}.${part(serviceId)}.${part(simulationId)}.${way}`;
}

/** Test events of a simulation. */
export function simulationTestTopic(way: 'input' | 'output', simulationId: string): string {
  return `/topic/${SIMULATION}.test.${way}.${part(simulationId)}`;
}

/** Broadcast of one message bus (area). */
export function fieldTopic(busId: string): string {
  return `/topic/${FIELD}.${part(busId)}`;
}

/** Messages to one application or agent on a message bus. */
export function fieldMemberTopic(busId: string, memberId: string): string {
  return `/topic/${FIELD}.${part(busId)}.${part(memberId)}`;
}

/** Requests to one agent on a message bus. */
export function fieldRequestQueue(busId: string, agentId: string): string {
  return `/queue/${FIELD}.request.${part(busId)}.${part(agentId)}`;
}

/** Requests to the context manager of a message bus. */
export function contextManagerQueue(busId: string): string {
  return `/queue/${FIELD}.request.${part(busId)}.${part(busId)}.context_manager`;
}

/** Requests to all members of all message buses, context managers among them, as a wildcard over the two prefixes. */
export const FIELD_REQUESTS = `${FIELD}.request.>`;

/** The message bus whose context manager has this destination; undefined for all other destinations. */
export function contextManagerBus(destination: string): string | undefined {
  const name = destination.replace(/^\/(queue|topic)\//, '');
  const [head, tail] = [`${FIELD}.request.`, '.context_manager'];
  if (!name.startsWith(head) || !name.endsWith(tail)) return undefined;
  const twice = name.slice(head.length, -tail.length);
  const busId = twice.slice(0, (twice.length - 1) / 2);
  return twice === `${busId}.${busId}` ? busId : undefined;
}

/** Measurements of one area of a simulation. */
export function fieldOutputTopic(simulationId: string, busId: string): string {
  return `/topic/${FIELD}.simulation.output.${part(simulationId)}.${part(busId)}`;
}

/** Commands to one area of a simulation. */
export function fieldInputTopic(simulationId: string, busId: string): string {
  return `/topic/${FIELD}.simulation.input.${part(simulationId)}.${part(busId)}`;
}

/** Broadcast of the coordinator to all agent hosts of a run. */
export function coordinationTopic(runId: string): string {
  return `/topic/${COORDINATION}.${part(runId)}`;
}

/** Answers of the agent hosts to the coordinator of a run. */
export function coordinationReply(runId: string): string {
  return `/queue/${COORDINATION}.${part(runId)}.reply`;
}

/** Messages of the coordinator to one agent host. */
export function coordinationHost(runId: string, hostId: string): string {
  return `/queue/${COORDINATION}.${part(runId)}.host.${part(hostId)}`;
}

/** Progress of a run for whoever looks at it. */
export function runProgressTopic(runId: string): string {
  return `/topic/${RUNS}.${part(runId)}.progress`;
}

/** Questions about a run as it goes on. */
export function liveLookQueue(runId: string): string {
  return `/queue/${RUNS}.${part(runId)}.look`;
}

/** Controls of a run. */
export function runControlQueue(runId: string): string {
  return `/queue/${RUNS}.${part(runId)}.control`;
}

/** Starts of runs, for a dashboard. */
export const RUN_START_QUEUE = `/queue/${RUNS}.start`;

/** All that is asked of runs, as a wildcard over the two prefixes. */
export const RUN_REQUESTS = `${RUNS}.>`;

/** What a destination of a run is for, and which run; undefined for all others. */
export function runDestination(
  destination: string,
): { readonly runId: string; readonly what: 'look' | 'control' | 'progress' } | undefined {
  const match = /^(?:\/queue\/|\/topic\/)?(.+)\.(look|control|progress)$/.exec(destination);
  const [, name = '', what] = match ?? [];
  if (!name.startsWith(`${RUNS}.`)) return undefined;
  const runId = name.slice(RUNS.length + 1);
  return what === 'look' || what === 'control' || what === 'progress' ? { runId, what } : undefined;
}

/** Name of a queue for the answer of the token handshake. */
export function tokenReplyName(user: string, stamp: string): string {
  return `temp.token_resp.${user}-${stamp}`;
}

/** An identifier as part of a dotted name. It may hold dots of its own (agent ids do), but no wildcards or blanks. */
function part(identifier: string): string {
  if (/^[^\s*>/]+$/.test(identifier)) return identifier;
  throw new BusError(
    'BAD_ARGUMENT',
    `"${identifier}" cannot be part of a destination: it is empty or holds a blank, "/", "*" or ">".`,
    { identifier },
  );
}
