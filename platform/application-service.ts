import { randomUUID } from 'node:crypto';
import {
  type ApplicationCommand,
  type ApplicationRegistration,
  applicationControlTopic,
  applicationHeartbeatQueue,
  type applicationRegistered,
  applicationStart,
  applicationStop,
} from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import type { Clock } from './clock.js';

/** An application that has not been heard of for so long is gone, ms; the clients send every 10 s. */
export const HEARTBEAT_LOST_MS = 60_000;
/** Applications at a time. */
const APPLICATIONS_MAX = 1000;

/** A started application. */
export interface ApplicationInstance {
  readonly instance_id: string;
  readonly application_id: string;
  readonly simulation_id: string;
  readonly request: string;
  /** Epoch milliseconds. */
  readonly start_time: number;
}

/** The remote applications: who they are, whether they live, what was started. */
export interface ApplicationService {
  /**
   * Registers an application, or renews it after it came back.
   * @throws DecError `BAD_ARGUMENT` when another user has registered the name, or there are too many
   */
  register(application: ApplicationRegistration, user: string): ReturnType<typeof applicationRegistered.parse>;
  /** A sign of life. */
  heartbeat(applicationId: string): void;
  list(): readonly ApplicationRegistration[];
  instances(): readonly ApplicationInstance[];
  /** @throws DecError `BAD_ARGUMENT` for an unknown application */
  get(command: ApplicationCommand): ApplicationRegistration;
  /** Tells an application to start; its instance. @throws as {@link get} */
  start(command: ApplicationCommand, request?: string): ApplicationInstance;
  /** Tells an application to stop, all of it or one instance. @throws as {@link get} */
  stop(command: ApplicationCommand): void;
  /** Forgets an application. @throws as {@link get} */
  deregister(command: ApplicationCommand): void;
}

interface Entry {
  readonly application: ApplicationRegistration;
  readonly user: string;
  heardMs: number;
}

/** Makes the service. @param send - writes to the bus @param warn - writes a line to the platform's log */
export function createApplicationService(
  clock: Pick<Clock, 'nowMs'>,
  send: (destination: string, body: string) => void,
  warn: (message: string) => void,
): ApplicationService {
  const entries = new Map<string, Entry>();
  const instances = new Map<string, ApplicationInstance>();

  const forget = (id: string): void => {
    entries.delete(id);
    for (const [key, { application_id }] of instances) if (application_id === id) instances.delete(key);
  };

  /** The applications that live. */
  const living = (): ReadonlyMap<string, Entry> => {
    const nowMs = clock.nowMs();
    for (const [id, { heardMs }] of entries) {
      if (nowMs - heardMs < HEARTBEAT_LOST_MS) continue;
      warn(`The application ${id} has sent no heart-beat for ${HEARTBEAT_LOST_MS / 1000} s and is taken off the list.`);
      forget(id);
    }
    return entries;
  };

  const find = ({ id, appId, instanceId }: ApplicationCommand): Entry => {
    const wanted = id ?? appId ?? (instanceId === undefined ? undefined : instances.get(instanceId)?.application_id);
    const known = living();
    const entry = wanted === undefined ? undefined : known.get(wanted);
    if (entry) return entry;
    const names = [...known.keys()];
    const what = wanted ?? instanceId;
    if (what === undefined) {
      throw new DecError('BAD_ARGUMENT', 'No application is named: id (or instanceId) is missing.', {});
    }
    throw new DecError('BAD_ARGUMENT', `There is no application ${what}; known are ${names.join(', ') || 'none'}.`, {
      application: what,
      known: names,
    });
  };

  return {
    register(application, user) {
      const { id } = application;
      const before = living().get(id);
      if (before && before.user !== user) {
        throw new DecError('BAD_ARGUMENT', `The application ${id} is registered by another user.`, { application: id });
      }
      if (!before && entries.size >= APPLICATIONS_MAX) {
        throw new DecError('BAD_ARGUMENT', `${entries.size} applications are registered already.`, { application: id });
      }
      entries.set(id, { application, user, heardMs: clock.nowMs() });
      return {
        applicationId: id,
        heartbeatTopic: applicationHeartbeatQueue(id),
        startControlTopic: applicationControlTopic('start', id),
        stopControlTopic: applicationControlTopic('stop', id),
        errorTopic: 'Error',
      };
    },
    heartbeat(applicationId) {
      const entry = entries.get(applicationId);
      if (entry) entry.heardMs = clock.nowMs();
    },
    list: () => [...living().values()].map(({ application }) => application),
    instances: () => {
      living();
      return [...instances.values()];
    },
    get: (command) => find(command).application,
    start(command, request = '{}') {
      const { application } = find(command);
      const { id, execution_path, options, multiple_instances } = application;
      if (!multiple_instances && [...instances.values()].some(({ application_id }) => application_id === id)) {
        throw new DecError('BAD_ARGUMENT', `The application ${id} runs already and wants one instance only.`, {
          application: id,
        });
      }
      const simulationId = command.simulation_id ?? command.simulationId ?? '';
      const words = [execution_path, ...options].map((word) =>
        word.replaceAll('(simulationId)', simulationId).replaceAll('(request)', request),
      );
      if (command.runtime_options) words.push(command.runtime_options);
      const instance = {
        instance_id: `${id}-${randomUUID()}`,
        application_id: id,
        simulation_id: simulationId,
        request,
        start_time: clock.nowMs(),
      };
      instances.set(instance.instance_id, instance);
      send(applicationControlTopic('start', id), applicationStart.format({ command: words.join(' ').trim() }));
      return instance;
    },
    stop(command) {
      const { id } = find(command).application;
      const { instanceId } = command;
      for (const [key, { application_id }] of instances) {
        if (application_id === id && (instanceId === undefined || instanceId === key)) instances.delete(key);
      }
      send(
        applicationControlTopic('stop', id),
        applicationStop.format(instanceId === undefined ? { id } : { id, instanceId }),
      );
    },
    deregister: (command) => forget(find(command).application.id),
  };
}
