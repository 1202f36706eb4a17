import { z } from 'zod';
import { applicationRegistration } from './application.js';
import { PLATFORM_STATUS_QUEUE, ROLES_QUEUE, SERVICE_LIST_QUEUE } from './destination.js';
import { declareBareRequest, declareMessage, type Immutable, truth, withoutNulls } from './message.js';

const requestSchema = z.preprocess(
  withoutNulls,
  z.object({
    applications: truth.default(false),
    services: truth.default(false),
    appInstances: truth.default(false),
    serviceInstances: truth.default(false),
    field: truth.default(false),
  }),
);

/** Which parts of the status are wanted; without any all parts come back. */
export type PlatformStatusRequest = Immutable<z.infer<typeof requestSchema>>;

/** Question for the platform's status. */
export const platformStatusRequest = declareMessage({
  name: 'platform status request',
  destination: PLATFORM_STATUS_QUEUE,
  schema: requestSchema,
  example: { applications: true, services: true, appInstances: true, serviceInstances: true },
});

const entry = z.record(z.string(), z.unknown());

const serviceExample = {
  id: 'gridappsd-alarms',
  description: 'Names switches and capacitors whose measured position changed',
  creator: 'DEC',
  inputs: ['/topic/goss.gridappsd.simulation.output.>'],
  outputs: ['/topic/goss.gridappsd.simulation.gridappsd-alarms.(simulationId).output'],
  static_args: [],
  execution_path: '',
  type: 'JAVASCRIPT',
  launch_on_startup: false,
  prereqs: ['dec-power-flow'],
  multiple_instances: true,
  environmentVariables: [],
};

const statusSchema = z.object({
  applications: z.array(entry).exactOptional(),
  services: z.array(entry).exactOptional(),
  appInstances: z.array(entry).exactOptional(),
  serviceInstances: z.array(entry).exactOptional(),
  fieldModelMrid: z.string().exactOptional(),
});

/** Applications, services and their instances. */
export type PlatformStatus = Immutable<z.infer<typeof statusSchema>>;

/** Answer with the platform's status, without envelope. */
export const platformStatus = declareMessage({
  name: 'platform status reply',
  destination: PLATFORM_STATUS_QUEUE,
  schema: statusSchema,
  example: {
    applications: [applicationRegistration.example],
    services: [serviceExample],
    appInstances: [
      {
        instance_id: 'sample_app-0d6d2b43-7f5b-4f0c-a2f8-3fb2d8f1da4b',
        application_id: 'sample_app',
        simulation_id: '1267312',
        request: '{}',
        start_time: 1655321833000,
      },
    ],
    serviceInstances: [
      {
        instance_id: 'dec-power-flow-1267312',
        service_id: 'dec-power-flow',
        simulation_id: '1267312',
        state: 'running',
        start_time: 1655321830,
        model_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
      },
    ],
    fieldModelMrid: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
  },
});

/** Question for the services. */
export const serviceListRequest = declareBareRequest('service list request', [SERVICE_LIST_QUEUE]);

/** Answer with the services, without envelope. */
export const serviceListReply = declareMessage({
  name: 'service list reply',
  destination: SERVICE_LIST_QUEUE,
  schema: z.object({ services: z.array(entry) }),
  example: { services: [serviceExample] },
});

/** Question for the roles of who asks. */
export const rolesRequest = declareBareRequest('roles request', [ROLES_QUEUE]);

/** Answer with the roles of who asked, without envelope. */
export const rolesReply = declareMessage({
  name: 'roles reply',
  destination: ROLES_QUEUE,
  schema: z.object({ roles: z.array(z.string()) }),
  example: { roles: ['user', 'operator', 'service', 'application', 'testmanager', 'evaluator', 'admin'] },
});
