import { describe, expect, it } from 'vitest';
import {
  AGENT_REGISTRY_QUEUE,
  APPLICATION_LIST_QUEUE,
  applicationCommand,
  applicationDeregistered,
  applicationListReply,
  applicationQueue,
  applicationRegistered,
  applicationRegistration,
  applicationReply,
  applicationStarted,
  applicationStopped,
  CONFIGURATION_QUEUE,
  cimDictionaryReply,
  contextManagerQueue,
  createMemoryBus,
  FIELD_MANAGER_QUEUE,
  feederIndexReply,
  fieldAgentRegistration,
  fieldAgents,
  fieldInitialized,
  fieldManagerInitialized,
  formatReply,
  LOG_QUERY_QUEUE,
  logQueryReply,
  MODEL_QUERY_QUEUE,
  PLATFORM_STATUS_QUEUE,
  platformLog,
  platformStatus,
  ROLES_QUEUE,
  rolesReply,
  SERVICE_LIST_QUEUE,
  serviceListReply,
  simulationEvents,
  simulationRequest,
  simulationTestInput,
  simulationTestTopic,
  sparqlReply,
} from '../../../bus/index.js';
import { createApplicationService } from '../../../platform/application-service.js';
import { createConfigurationService } from '../../../platform/configuration-service.js';
import { createFieldService } from '../../../platform/field-service.js';
import { openModelStore } from '../../../platform/index.js';
import { createLogService } from '../../../platform/log-service.js';
import { createModelService } from '../../../platform/model-service.js';
import { type PlatformServices, routeRequests } from '../../../platform/request-router.js';
import { createEventSchedule } from '../../../platform/simulation/event.js';
import type { RunSummary } from '../../../platform/simulation/host.js';
import { createManualClock } from './manual-clock.js';

const FEEDER = new URL('../../../inputs/feeder/IEEE123Sec.xml', import.meta.url).pathname;

/** Every path of keys in a value; `[]` stands for all entries of a list, and lists without entries for themselves alone. */
function keysOf(value: unknown, at = '', empty = new Set<string>()): { keys: Set<string>; empty: Set<string> } {
  const keys = new Set<string>();
  const children: (readonly [string, unknown])[] = [];
  if (Array.isArray(value)) {
    if (value.length === 0) empty.add(`${at}[]`);
    children.push(...value.map((one) => [`${at}[]`, one] as const));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      keys.add(`${at}.${key}`);
      children.push([`${at}.${key}`, one]);
    }
  }
  for (const [path, one] of children) for (const key of keysOf(one, path, empty).keys) keys.add(key);
  return { keys, empty };
}

/** Keys of both, without those below lists that one of them has empty. */
function comparable(example: unknown, answer: unknown): readonly [readonly string[], readonly string[]] {
  const [told, real] = [keysOf(example), keysOf(answer)];
  const empty = [...told.empty, ...real.empty];
  const seen = ({ keys }: { keys: Set<string> }) =>
    [...keys].filter((key) => !empty.some((list) => key.startsWith(list))).sort();
  return [seen(told), seen(real)];
}

describe('the example of a message', () => {
  const hub = createMemoryBus();
  const bus = hub.bus();
  const clock = createManualClock();
  const send = (destination: string, body: string) => bus.send(destination, body);
  const store = openModelStore(undefined, { builtIn: [], files: [FEEDER] });
  const log = createLogService({ bus, clock });
  const request = simulationRequest.read(simulationRequest.example);
  const summary: RunSummary = { id: '1267312', state: 'running', step: 3, request };
  const events = createEventSchedule();
  const models = createModelService(store, {
    query: () => Promise.reject(new Error('nothing here asks SPARQL')),
    prepare: () => Promise.resolve(),
    close: () => undefined,
  });
  routeRequests({
    hub,
    log,
    models,
    tokens: { roles: () => ['user'], userOf: () => 'system' },
    configurations: createConfigurationService(store, () => undefined),
    simulations: {
      runs: () => [summary],
      planEvents: (_: string, planned: readonly Record<string, unknown>[]) => events.plan(planned),
      listEvents: () => events.list(1655321830),
    },
    field: createFieldService(store, send, () => true),
    applications: createApplicationService(clock, send, () => undefined),
    writeReply: formatReply,
    onApplication: () => undefined,
    fieldModelMrid: () => store.all()[0]!.mrid,
  } as unknown as PlatformServices);
  const modelId = store.all()[0]!.mrid;
  const objectId = store.all()[0]!.feeder.capacitors[0]!.mrid;
  const bare = fieldAgentRegistration.example as { upstream_message_bus_id: string };
  bus.send(AGENT_REGISTRY_QUEUE, JSON.stringify(bare));
  log.platform({ source: 'platform', message: 'up' });

  const on = applicationQueue;
  const started = applicationCommand.example;
  const manager = contextManagerQueue(bare.upstream_message_bus_id);
  const outage = simulationTestInput.example;
  it.each([
    [applicationRegistered, on('remote.register'), applicationRegistration.example],
    [applicationRegistered, on('register'), applicationRegistration.example],
    [applicationListReply, on('list'), {}],
    [applicationListReply, APPLICATION_LIST_QUEUE, {}],
    [applicationReply, on('get'), started],
    [applicationStarted, on('start'), started],
    [platformStatus, PLATFORM_STATUS_QUEUE, {}],
    [applicationStopped, on('stop'), started],
    [applicationStopped, on('stopinstance'), started],
    [applicationDeregistered, on('deregister'), started],
    [serviceListReply, SERVICE_LIST_QUEUE, {}],
    [rolesReply, ROLES_QUEUE, {}],
    [logQueryReply, LOG_QUERY_QUEUE, { source: 'platform' }],
    [fieldAgents, manager, { request_type: 'get_agents' }],
    [fieldAgents, FIELD_MANAGER_QUEUE, { request_type: 'get_agents' }],
    [fieldInitialized, manager, { request_type: 'is_initialized' }],
    [fieldManagerInitialized, FIELD_MANAGER_QUEUE, { request_type: 'is_initialized' }],
    [
      cimDictionaryReply,
      CONFIGURATION_QUEUE,
      { configurationType: 'CIM Dictionary', parameters: { model_id: modelId } },
    ],
    [feederIndexReply, CONFIGURATION_QUEUE, { configurationType: 'CIM Feeder Index' }],
    [sparqlReply, MODEL_QUERY_QUEUE, { requestType: 'QUERY_OBJECT', objectId }, 'the answer to QUERY_OBJECT'],
    [simulationEvents, simulationTestTopic('input', '1267312'), outage],
  ] as const)(
    'has every key that the platform writes: case %#',
    async (contract, destination, question, which?: string) => {
      const { body } = await bus.request(destination, JSON.stringify(question));
      expect(() => contract.parse(body)).not.toThrow();
      const { example, moreExamples = {} } = contract;
      const [told, real] = comparable(which === undefined ? example : moreExamples[which], JSON.parse(body));
      expect(real.length).toBeGreaterThan(0);
      expect(told).toEqual(real);
    },
  );

  it('has every key of a log line', async () => {
    const lines: string[] = [];
    bus.subscribe(platformLog.destination, ({ body }) => lines.push(body));
    log.platform({ source: 'platform', message: 'up' });
    await expect.poll(() => lines.length).toBe(1);
    expect(comparable(platformLog.example, JSON.parse(lines[0]!))[1]).toEqual(
      comparable(platformLog.example, JSON.parse(lines[0]!))[0],
    );
  });
});
