import {
  FIELD_REQUESTS,
  type PlatformStatus,
  type PlatformStatusRequest,
  SIMULATION_INPUTS,
  SIMULATION_OUTPUTS,
  serviceTopic,
} from '../bus/index.js';
import type { ApplicationService } from './application-service.js';
import type { RunSummary } from './simulation/host.js';
import { MONITOR_IDS } from './simulation/monitor.js';

/** What a service that looks at outputs does, by its name. */
const MONITORS: Readonly<Record<string, string>> = {
  'gridappsd-alarms': 'Names switches and capacitors whose measured position changed',
  'gridappsd-dynamic-ybus-service': 'Node admittances where a switch, tap or capacitor bank has moved',
  'gridappsd-voltage-violation': 'Names voltages outside 0.95 to 1.05 of nominal, at every fifth output',
};

/** The parts of the platform, as its status lists them. */
export const SERVICES: readonly Readonly<Record<string, unknown>>[] = [
  ...MONITOR_IDS.map((id) => ({
    id,
    description: MONITORS[id] ?? '',
    creator: 'DEC',
    inputs: [SIMULATION_OUTPUTS],
    outputs: [serviceTopic(id, '(simulationId)', 'output')],
    static_args: [],
    execution_path: '',
    type: 'JAVASCRIPT',
    launch_on_startup: false,
    prereqs: ['dec-power-flow'],
    multiple_instances: true,
    environmentVariables: [],
  })),
  {
    id: 'dec-power-flow',
    description: 'Power flow of the Distributed Energy Coordinator: three-phase, unbalanced, with controls',
    creator: 'DEC',
    inputs: [SIMULATION_INPUTS],
    outputs: [SIMULATION_OUTPUTS],
    static_args: [],
    execution_path: '',
    type: 'JAVASCRIPT',
    launch_on_startup: false,
    prereqs: [],
    multiple_instances: true,
    environmentVariables: [],
  },
  {
    id: 'dec-context-manager',
    description: 'Context managers of all areas of the known feeders',
    creator: 'DEC',
    inputs: [FIELD_REQUESTS],
    outputs: [],
    static_args: [],
    execution_path: '',
    type: 'JAVASCRIPT',
    launch_on_startup: true,
    prereqs: [],
    multiple_instances: false,
    environmentVariables: [],
  },
];

/** The platform's status: all parts, or those that are asked for. */
export function platformStatusOf(
  request: PlatformStatusRequest,
  runs: readonly RunSummary[],
  fieldModelMrid: string | undefined,
  remote: Pick<ApplicationService, 'list' | 'instances'>,
): PlatformStatus {
  const { applications, services, appInstances, serviceInstances, field } = request;
  const isAll = !(applications || services || appInstances || serviceInstances || field);
  const instances = runs.map(({ id, state, request: { startTime, feeders } }) => ({
    instance_id: `dec-power-flow-${id}`,
    service_id: 'dec-power-flow',
    simulation_id: id,
    state,
    start_time: startTime,
    model_id: feeders[0]?.mrid ?? '',
  }));
  return {
    ...(isAll || applications ? { applications: [...remote.list()] } : {}),
    ...(isAll || services ? { services: [...SERVICES] } : {}),
    ...(isAll || appInstances ? { appInstances: remote.instances().map((one) => ({ ...one })) } : {}),
    ...(isAll || serviceInstances ? { serviceInstances: instances } : {}),
    ...((isAll || field) && fieldModelMrid !== undefined ? { fieldModelMrid } : {}),
  };
}
