import { z } from 'zod';
import { FAIRNESS_LEVELS, FAIRNESS_MODES, type ServiceModel, type StarSettings } from '../grid/optim/index.js';

/** Settings of the star, by name; what is absent has its default. */
export type AgentSettings = Readonly<Partial<StarSettings>>;

/** What a host is given to make one agent. */
export interface AgentAssignment {
  readonly model: ServiceModel;
  readonly settings: AgentSettings;
  /** Message bus of the agent's secondary area, where its measurements are published. */
  readonly areaId?: string;
}

const LISTS = [
  'buses',
  'lines',
  'switches',
  'transformers',
  'loads',
  'pvSystems',
  'batteries',
  'machines',
  'measurements',
] as const;

/** Feeder data is checked for its shape; its content is checked by whoever compiles it. */
function isFeederData(value: unknown): value is ServiceModel['feeder'] {
  if (typeof value !== 'object' || value === null) return false;
  const lists = new Map<string, unknown>(Object.entries(value));
  return LISTS.every((list) => Array.isArray(lists.get(list)));
}

const quantity = z.number().exactOptional();
const settings = z.object({
  limits: z.object({ minPu: z.number(), maxPu: z.number() }).exactOptional(),
  fairness: z.enum(['proportional', 'equalAlpha', 'total']).exactOptional(),
  powerUnitW: quantity,
  voltageUnitSquaredPu: quantity,
  rule: z
    .object({
      mode: z.enum(FAIRNESS_MODES),
      level: z.enum(FAIRNESS_LEVELS),
      weights: z.enum(['capacity', 'equal']),
      gamma: z.number().nonnegative(),
      factors: z.record(z.string(), z.number().positive()).default({}),
      // Infinity does not cross the bus; the rounds of live agents do not use it.
      maxMinLevels: z
        .number()
        .nullable()
        .default(null)
        .transform((levels) => levels ?? Infinity),
    })
    .exactOptional(),
  reactiveWeight: quantity,
  exchange: z.enum(['prices', 'cuts']).exactOptional(),
  tellsTerminals: z.boolean().exactOptional(),
  alphaTolerance: quantity,
  violationPrice: quantity,
  rho: quantity,
  relaxation: quantity,
  absoluteTolerance: quantity,
  relativeTolerance: quantity,
  powerToleranceW: quantity,
  areaRows: z.int().positive().exactOptional(),
  maxRounds: quantity,
});

const schema = z.object({
  model: z.object({
    agentId: z.string().min(1),
    port: z.object({ agentId: z.string(), bus: z.string(), nodes: z.array(z.int().positive()).min(1) }),
    feeder: z.custom<ServiceModel['feeder']>(isFeederData, 'feeder data with all its lists expected'),
  }),
  settings: settings.default({}),
  areaId: z.string().exactOptional(),
});

const areaSchema = z.object({ area: z.string().min(1), settings: settings.default({}) });

/** What a host is given to make one area agent; its part of the network comes with the first round of an interval. */
export interface AreaAssignment {
  /** Name of the area. */
  readonly area: string;
  readonly settings: AgentSettings;
}

/** Reads an assignment as that of an area agent; undefined when it is not one. */
export function readAreaAssignment(payload: unknown): AreaAssignment | undefined {
  return areaSchema.safeParse(payload).data;
}

/**
 * Reads an assignment.
 * @throws ZodError that names the path of what is missing
 */
export function readAssignment(payload: unknown): AgentAssignment {
  return schema.parse(payload);
}
