import { z } from 'zod';
import { SIMULATION_REQUEST_QUEUE } from './destination.js';
import { declareMessage, type Immutable, identifier, numeric, parseJson, readPayload, truth } from './message.js';

/** Defaults of a simulation request (GridAPPS-D's own). */
export const SIMULATION_DEFAULTS = {
  durationS: 86_400,
  realtimePublishPeriodS: 3,
  fastPublishPeriodS: 60,
  intervalS: 1,
  simulator: 'GridLAB-D',
} as const;

/** What a start is. The real platform has no default for it either, and its simulators end without one. */
const A_TIME = 'epoch seconds or an ISO date';
/** Last second of the year 9999: what dates can be written for. */
const LATEST_EPOCH_S = 253_402_300_799;
/** Shortest step. */
const SHORTEST_STEP_S = 0.001;
/** Longest duration, period and step: ten years with their leap days. */
const LONGEST_S = 3653 * 86_400;

/** A profile by name, or its factors one by one. */
export type ProfileChoice = string | readonly number[];

/** How the model of one feeder is made. */
export interface ModelCreation {
  /** Multiplier of every load. */
  readonly loadScalingFactor: number;
  /** Multiplier of every PV system's available power. */
  readonly pvScalingFactor: number;
  /** Voltage of the source; the model's own when absent. */
  readonly sourceVoltagePu?: number;
  readonly loadProfile?: ProfileChoice;
  readonly pvProfile?: ProfileChoice;
  /**
   * Seconds per point of profiles given as lists; their first point then stands at the start of the simulation.
   * When absent a list covers one day from midnight UTC.
   */
  readonly profileStepS?: number;
  /** How values between two points are found; `linear` when absent. */
  readonly profileInterpolation?: 'linear' | 'step';
  /** Settings of every battery; the platform's defaults when absent. Efficiencies and shares of 1. */
  readonly battery?: {
    readonly initialCharge?: number;
    readonly chargeEfficiency?: number;
    readonly dischargeEfficiency?: number;
    readonly reserve?: number;
  };
  /** Shares of constant impedance, current and power; the model's own when absent. */
  readonly zipFractions?: { readonly z: number; readonly i: number; readonly p: number };
  /** Switch states at the start, by name. */
  readonly switches: readonly { readonly name: string; readonly isOpen: boolean }[];
  /** Machine powers at the start, by name, W and var. */
  readonly machines: readonly { readonly name: string; readonly powerW: number; readonly powerVar: number }[];
}

/** One feeder of a simulation. */
export interface SimulatedFeeder {
  /** mRID as written by the sender. */
  readonly mrid: string;
  readonly regionName: string;
  readonly subRegionName: string;
  readonly simulator: string;
  readonly model: ModelCreation;
}

/** What of a finished simulation is to be published again. */
export interface SimulationReplay {
  /** Id of the finished simulation. */
  readonly of: string;
  /** Time from which on, epoch seconds; the first stored output when absent. */
  readonly fromS?: number;
  /** Simulated seconds; to the end when absent. */
  readonly durationS?: number;
}

/** A request to start, or with another type to end, a simulation: both wire forms in one shape. */
export interface SimulationRequest {
  /** `NEW`, `STOP`, `PAUSE`, `RESUME`, or what else the sender wrote. */
  readonly type: string;
  /** The simulation meant by the other types. */
  readonly simulationId?: string;
  readonly feeders: readonly SimulatedFeeder[];
  /** Simulated start, epoch seconds. */
  readonly startTime: number;
  readonly durationS: number;
  /** Simulated seconds between outputs. */
  readonly publishPeriodS: number;
  /** Simulated seconds per step. */
  readonly intervalS: number;
  readonly isRealtime: boolean;
  /** Whether the simulation pauses by itself after each output. */
  readonly pausesAfterMeasurements: boolean;
  /** Whether the simulation begins at the command `StartSimulation` only, however many listen before; false when absent. */
  readonly waitsForStart?: boolean;
  /** Asks for the stored outputs of a finished simulation in the place of a power flow; feeders need not be named then. */
  readonly replay?: SimulationReplay;
  readonly name: string;
  readonly events: readonly Readonly<Record<string, unknown>>[];
  readonly applications: readonly Readonly<Record<string, unknown>>[];
  readonly services: readonly Readonly<Record<string, unknown>>[];
}

const profile = z.union([z.string(), z.array(z.number())], { error: 'a profile name or a list of numbers expected' });
const bag = z.array(z.record(z.string(), z.unknown()));

const modelState = z.object({
  switches: z.array(z.object({ name: z.string(), open: truth })).nullish(),
  synchronousmachines: z.array(z.object({ name: z.string(), p: numeric, q: numeric.nullish() })).nullish(),
});

const modelCreation = z.object({
  load_scaling_factor: numeric.nullish(),
  pv_scaling_factor: numeric.nullish(),
  source_voltage_pu: numeric.nullish(),
  load_profile: profile.nullish(),
  pv_profile: profile.nullish(),
  profile_step_s: numeric.nullish(),
  profile_interpolation: z.enum(['linear', 'step']).nullish(),
  battery: z
    .object({
      initial_charge: numeric.nullish(),
      charge_efficiency: numeric.nullish(),
      discharge_efficiency: numeric.nullish(),
      reserve: numeric.nullish(),
    })
    .nullish(),
  z_fraction: numeric.nullish(),
  i_fraction: numeric.nullish(),
  p_fraction: numeric.nullish(),
  model_state: modelState.nullish(),
});

const powerSystem = z.object({
  Line_name: z.string().min(1, 'the mRID of a feeder expected'),
  GeographicalRegion_name: z.string().nullish(),
  SubGeographicalRegion_name: z.string().nullish(),
  simulator_config: z
    .object({ simulator: z.string().nullish(), model_creation_config: modelCreation.nullish() })
    .nullish(),
});

const simulation = z.object({
  start_time: z.union([z.number(), z.string()], { error: `${A_TIME} expected` }).nullish(),
  duration: numeric.nullish(),
  publish_period: numeric.nullish(),
  interval: numeric.nullish(),
  run_realtime: truth.nullish(),
  pause_after_measurements: truth.nullish(),
  wait_for_start: truth.nullish(),
  replay_of: identifier.nullish(),
  simulation_name: z.string().nullish(),
  simulator: z.string().nullish(),
  model_creation_config: modelCreation.nullish(),
});

const wireSchema = z.object({
  simulation_request_type: z.string().nullish(),
  simulation_id: identifier.nullish(),
  power_system_configs: z.array(powerSystem).nullish(),
  power_system_config: powerSystem.nullish(),
  simulation_config: simulation.nullish(),
  application_config: z.object({ applications: bag.nullish() }).nullish(),
  application_configs: bag.nullish(),
  service_configs: bag.nullish(),
  test_config: z.object({ events: bag.nullish() }).nullish(),
});

type Wire = z.infer<typeof wireSchema>;

const requestSchema: z.ZodType<SimulationRequest> = wireSchema.transform((wire, context): SimulationRequest => {
  const type = wire.simulation_request_type ?? 'NEW';
  const systems = wire.power_system_configs ?? (wire.power_system_config ? [wire.power_system_config] : []);
  const missing = (path: string[], what: string): void =>
    context.addIssue({ code: 'custom', path, message: `missing (${what} expected)` });
  if (type === 'NEW') {
    const isReplay = isNamed(wire.simulation_config?.replay_of);
    if (systems.length === 0 && !isReplay) missing(['power_system_configs'], 'at least one feeder');
    if (wire.simulation_config && wire.simulation_config.start_time == null && !isReplay) {
      missing(['simulation_config', 'start_time'], A_TIME);
    }
    if (!wire.simulation_config) missing(['simulation_config'], 'start_time and duration');
  } else if (wire.simulation_id == null) {
    missing(['simulation_id'], `the simulation to ${type}`);
  }
  const config = wire.simulation_config ?? {};
  const isRealtime = config.run_realtime ?? true;
  const startTime = epochSeconds(config.start_time ?? 0);
  if (Number.isFinite(startTime) && !(startTime >= 0 && startTime <= LATEST_EPOCH_S)) {
    context.addIssue({
      code: 'custom',
      path: ['simulation_config', 'start_time'],
      message: `a time from 1970 to 9999 expected (0 to ${LATEST_EPOCH_S} epoch seconds), "${config.start_time}" received`,
    });
  }
  if (!Number.isFinite(startTime)) {
    context.addIssue({
      code: 'custom',
      path: ['simulation_config', 'start_time'],
      message: `${A_TIME} expected, "${config.start_time}" received`,
    });
  }
  const period = SIMULATION_DEFAULTS[isRealtime ? 'realtimePublishPeriodS' : 'fastPublishPeriodS'];
  const positive = (value: number | null | undefined, fallback: number, key: string, least = 0): number => {
    if (value == null) return fallback;
    if (!(value > 0 && value >= least && value <= LONGEST_S)) {
      const lower = least > 0 ? `at least ${least}` : 'more than 0';
      context.addIssue({
        code: 'custom',
        path: ['simulation_config', key],
        message: `${lower} and at most ${LONGEST_S} s (ten years) expected, ${value} received`,
      });
    }
    return value;
  };
  return {
    type,
    ...(wire.simulation_id == null ? {} : { simulationId: wire.simulation_id }),
    feeders: systems.map((system) => simulatedFeeder(system, config)),
    startTime,
    durationS: positive(config.duration, SIMULATION_DEFAULTS.durationS, 'duration'),
    publishPeriodS: positive(config.publish_period, period, 'publish_period'),
    intervalS: positive(config.interval, SIMULATION_DEFAULTS.intervalS, 'interval', SHORTEST_STEP_S),
    isRealtime,
    pausesAfterMeasurements: config.pause_after_measurements ?? false,
    ...(config.wait_for_start ? { waitsForStart: true } : {}),
    ...(isNamed(config.replay_of) ? { replay: readReplay(config.replay_of, config, startTime) } : {}),
    name: config.simulation_name ?? '',
    events: wire.test_config?.events ?? [],
    applications: wire.application_config?.applications ?? wire.application_configs ?? [],
    services: wire.service_configs ?? [],
  };
});

/** Whether an id is given: senders that write every key write null or an empty text for nothing. */
function isNamed(id: string | null | undefined): id is string {
  return id != null && id !== '';
}

function readReplay(
  of: string,
  { start_time, duration }: NonNullable<Wire['simulation_config']>,
  startTime: number,
): SimulationReplay {
  return {
    of,
    ...(start_time == null ? {} : { fromS: startTime }),
    ...(duration == null ? {} : { durationS: duration }),
  };
}

function simulatedFeeder(
  system: NonNullable<Wire['power_system_config']>,
  config: NonNullable<Wire['simulation_config']>,
): SimulatedFeeder {
  const creation = system.simulator_config?.model_creation_config ?? config.model_creation_config ?? {};
  const { z_fraction: z, i_fraction: i, p_fraction: p, model_state: state } = creation;
  const hasZip = z != null || i != null || p != null;
  return {
    mrid: system.Line_name,
    regionName: system.GeographicalRegion_name ?? '',
    subRegionName: system.SubGeographicalRegion_name ?? '',
    simulator: system.simulator_config?.simulator ?? config.simulator ?? SIMULATION_DEFAULTS.simulator,
    model: {
      loadScalingFactor: creation.load_scaling_factor ?? 1,
      pvScalingFactor: creation.pv_scaling_factor ?? 1,
      ...(creation.source_voltage_pu == null ? {} : { sourceVoltagePu: creation.source_voltage_pu }),
      ...(creation.load_profile == null ? {} : { loadProfile: creation.load_profile }),
      ...(creation.pv_profile == null ? {} : { pvProfile: creation.pv_profile }),
      ...(creation.profile_step_s == null ? {} : { profileStepS: creation.profile_step_s }),
      ...(creation.profile_interpolation == null ? {} : { profileInterpolation: creation.profile_interpolation }),
      ...(creation.battery == null ? {} : { battery: readBattery(creation.battery) }),
      ...(hasZip ? { zipFractions: { z: z ?? 0, i: i ?? 0, p: p ?? 0 } } : {}),
      ...statesOf(state),
    },
  };
}

function statesOf(state: z.infer<typeof modelState> | null | undefined): Pick<ModelCreation, 'switches' | 'machines'> {
  return {
    switches: (state?.switches ?? []).map(({ name, open }) => ({ name, isOpen: open })),
    machines: (state?.synchronousmachines ?? []).map(({ name, p, q }) => ({ name, powerW: p, powerVar: q ?? 0 })),
  };
}

/**
 * The `model_state` of an export's parameters, which is that of simulation requests, as text.
 * @throws BusError `BAD_MESSAGE` naming what is wrong in it
 */
export function parseModelState(text: string, destination: string): Pick<ModelCreation, 'switches' | 'machines'> {
  return statesOf(readPayload(modelState, parseJson(text, 'model_state', destination), 'model_state', destination));
}

function readBattery(
  written: NonNullable<z.infer<typeof modelCreation>['battery']>,
): NonNullable<ModelCreation['battery']> {
  return {
    ...(written.initial_charge == null ? {} : { initialCharge: written.initial_charge }),
    ...(written.charge_efficiency == null ? {} : { chargeEfficiency: written.charge_efficiency }),
    ...(written.discharge_efficiency == null ? {} : { dischargeEfficiency: written.discharge_efficiency }),
    ...(written.reserve == null ? {} : { reserve: written.reserve }),
  };
}

/** Epoch seconds of a number, its text, or a date; a date without a zone is UTC. NaN when it is none of them. */
function epochSeconds(written: number | string): number {
  if (typeof written === 'number') return written;
  const text = written.trim();
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  const hasZone = /([zZ]|[+-]\d\d:?\d\d)$/.test(text);
  return Date.parse(hasZone ? text : `${text.replace(' ', 'T')}${text.includes(':') ? 'Z' : ''}`) / 1000;
}

/** The new wire form of a request. */
function writeRequest(request: SimulationRequest): unknown {
  return {
    simulation_request_type: request.type,
    ...(request.simulationId === undefined ? {} : { simulation_id: request.simulationId }),
    power_system_configs: request.feeders.map((feeder) => ({
      Line_name: feeder.mrid,
      GeographicalRegion_name: feeder.regionName,
      SubGeographicalRegion_name: feeder.subRegionName,
      simulator_config: {
        simulator: feeder.simulator,
        power_flow_solver_method: 'NR',
        model_creation_config: writeModel(feeder.model),
      },
    })),
    simulation_config: {
      start_time: request.replay ? request.replay.fromS : request.startTime,
      duration: request.replay ? request.replay.durationS : request.durationS,
      publish_period: request.publishPeriodS,
      interval: request.intervalS,
      run_realtime: request.isRealtime,
      pause_after_measurements: request.pausesAfterMeasurements,
      ...(request.waitsForStart ? { wait_for_start: true } : {}),
      ...(request.replay ? { replay_of: request.replay.of } : {}),
      simulation_name: request.name,
    },
    application_config: { applications: request.applications },
    service_configs: request.services,
    test_config: { events: request.events, appId: '' },
  };
}

function writeModel(model: ModelCreation): unknown {
  return {
    load_scaling_factor: model.loadScalingFactor,
    pv_scaling_factor: model.pvScalingFactor,
    source_voltage_pu: model.sourceVoltagePu,
    load_profile: model.loadProfile,
    pv_profile: model.pvProfile,
    profile_step_s: model.profileStepS,
    profile_interpolation: model.profileInterpolation,
    battery:
      model.battery === undefined
        ? undefined
        : {
            initial_charge: model.battery.initialCharge,
            charge_efficiency: model.battery.chargeEfficiency,
            discharge_efficiency: model.battery.dischargeEfficiency,
            reserve: model.battery.reserve,
          },
    z_fraction: model.zipFractions?.z,
    i_fraction: model.zipFractions?.i,
    p_fraction: model.zipFractions?.p,
    model_state: {
      switches: model.switches.map(({ name, isOpen }) => ({ name, open: isOpen })),
      synchronousmachines: model.machines.map(({ name, powerW, powerVar }) => ({ name, p: powerW, q: powerVar })),
    },
  };
}

/** Keys of GridAPPS-D's own requests that say what this platform does anyway, by the object they stand in. */
const WITHOUT_EFFECT: Readonly<Record<string, readonly string[]>> = {
  simulator_config: ['power_flow_solver_method', 'simulation_output'],
  simulation_config: [
    ...['power_flow_solver_method', 'simulation_output', 'simulation_id', 'simulation_broker_port'],
    ...['timestep_frequency', 'timestep_increment', 'simulation_broker_location'],
  ],
  test_config: ['appId', 'testId', 'testType'],
  application_config: [],
  model_creation_config: ['encode_path', 'separated_loads_file', 'schedule_name', 'model_state'],
};

const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': [...Object.keys(wireSchema.shape), 'requester', 'token'],
  power_system_configs: Object.keys(powerSystem.shape),
  power_system_config: Object.keys(powerSystem.shape),
  simulator_config: ['simulator', 'model_creation_config'],
  simulation_config: Object.keys(simulation.shape),
  model_creation_config: Object.keys(modelCreation.shape),
  battery: ['initial_charge', 'charge_efficiency', 'discharge_efficiency', 'reserve'],
  model_state: ['switches', 'synchronousmachines'],
  application_config: ['applications'],
  test_config: ['events'],
};

/** A value that asks for nothing: null, false, zero, an empty text or list. */
function isNeutral(value: unknown): boolean {
  return value == null || value === false || value === 0 || value === '' || (Array.isArray(value) && !value.length);
}

function unknownKeys(value: unknown, name: string, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((one, i) => unknownKeys(one, name, `${path}[${i}]`));
  const known = KNOWN_KEYS[name];
  if (known === undefined || typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = path === '' ? key : `${path}.${key}`;
    if (known.includes(key)) return unknownKeys(inner, key, own);
    return WITHOUT_EFFECT[name]?.includes(key) || isNeutral(inner) ? [] : [own];
  });
}

/**
 * Keys of a simulation request that nothing here reads, as paths; keys without a value ask for nothing.
 *
 * @param body - of the request, as it came; read with {@link simulationRequest} before
 */
export function unknownSimulationKeys(body: string): readonly string[] {
  return unknownKeys(parseJson(body, 'simulation request', SIMULATION_REQUEST_QUEUE), '', '');
}

/** Request to start or end a simulation; read from both wire forms, written in the new one. */
export const simulationRequest = declareMessage<SimulationRequest>({
  name: 'simulation request',
  destination: SIMULATION_REQUEST_QUEUE,
  schema: requestSchema,
  write: writeRequest,
  example: {
    power_system_configs: [
      {
        Line_name: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
        GeographicalRegion_name: '',
        SubGeographicalRegion_name: '',
        simulator_config: {
          simulator: 'GridLAB-D',
          power_flow_solver_method: 'NR',
          model_creation_config: {
            load_scaling_factor: 0.25,
            pv_scaling_factor: 1,
            source_voltage_pu: 1.04,
            pv_profile: 'sunny-day',
            model_state: { synchronousmachines: [], switches: [{ name: 'sw1', open: true }] },
          },
        },
      },
    ],
    simulation_config: {
      start_time: 1655321830,
      duration: '300',
      publish_period: null,
      interval: null,
      run_realtime: true,
      pause_after_measurements: false,
      simulation_name: 'ieee13nodeckt',
    },
    application_config: { applications: [] },
    service_configs: [],
    test_config: { events: [], appId: '' },
  },
  moreExamples: {
    stop: { simulation_request_type: 'STOP', simulation_id: '1267312' },
    pause: { simulation_request_type: 'PAUSE', simulation_id: '1267312' },
    resume: { simulation_request_type: 'RESUME', simulation_id: '1267312' },
  },
});

const startedSchema = z.object({
  simulationId: identifier,
  events: z
    .array(z.record(z.string(), z.unknown()))
    .nullish()
    .transform((events) => events ?? []),
});

/** The platform's answer to a start, without envelope. */
export type SimulationStarted = Immutable<z.infer<typeof startedSchema>>;

/** Answer to a start: the simulation's id and the events with their ids. */
export const simulationStarted = declareMessage({
  name: 'simulation start reply',
  destination: SIMULATION_REQUEST_QUEUE,
  schema: startedSchema,
  example: { simulationId: '1267312', events: [] },
});
