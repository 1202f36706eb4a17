import { z } from 'zod';
import { PLATFORM_STATUS_QUEUE } from './destination.js';
import { declareMessage, type Immutable, truth, withoutNulls } from './message.js';

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
    applications: [{ id: 'dec', type: 'REMOTE' }],
    services: [{ id: 'gridappsd-alarms', type: 'JAVA' }],
    appInstances: [],
    serviceInstances: [],
    fieldModelMrid: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
  },
});
