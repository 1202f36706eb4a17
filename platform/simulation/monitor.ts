import {
  type SimulationMeasurement,
  type SimulationRequest,
  serviceTopic,
  simulationAlarms,
  voltageViolations,
} from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { YbusWatch } from './dynamic-ybus.js';
import type { Simulation } from './simulation.js';

type Measurements = Readonly<Record<string, SimulationMeasurement>>;

/** Voltages are judged at every so many outputs, as by the real platform's service. */
const OUTPUTS_PER_JUDGEMENT = 5;
/** Service voltage of ANSI C84.1, range A, pu. */
const [LEAST_PU, LARGEST_PU] = [0.95, 1.05];

/** A service of a simulation that looks at its outputs. */
export interface OutputMonitor {
  readonly serviceId: string;
  /** What it says at the end of the simulation. */
  readonly farewell?: (status: 'COMPLETE' | 'CLOSED') => string;
  /** What it has to say about an output; undefined for nothing. */
  look(measurements: Measurements, timestamp: number): string | undefined;
}

/** What a monitor looks at. */
interface Watched {
  readonly simulationId: string;
  readonly simulation: Simulation;
  readonly ybus: YbusWatch;
}

type MakeMonitor = (watched: Watched) => Omit<OutputMonitor, 'serviceId'>;

const MONITORS: ReadonlyMap<string, MakeMonitor> = new Map<string, MakeMonitor>([
  ['gridappsd-alarms', ({ simulation }) => alarms(simulation.feeder)],
  ['gridappsd-voltage-violation', ({ simulation }) => violations(simulation.feeder)],
  ['gridappsd-dynamic-ybus-service', admittances],
]);

/** Services that a request may name in `service_configs`. */
export const MONITOR_IDS: readonly string[] = [...MONITORS.keys()];
const MONITOR_LIST = `${MONITOR_IDS.slice(0, -1).join(', ')} and ${MONITOR_IDS.at(-1)}`;

/** The services a request asks for, and what of its wishes has no effect. */
export function createMonitors(
  { services }: Pick<SimulationRequest, 'services'>,
  watched: Watched,
): { readonly monitors: readonly OutputMonitor[]; readonly problems: readonly string[] } {
  const monitors = new Map<string, OutputMonitor>();
  const problems = new Set<string>();
  services.forEach((service, k) => {
    const { id } = service;
    if (typeof id !== 'string' || id === '') {
      problems.add(`service_configs[${k}] names no service (id); there are ${MONITOR_LIST}.`);
      return;
    }
    const make = MONITORS.get(id);
    if (make === undefined) {
      problems.add(`There is no service "${id}" on this platform; there are ${MONITOR_LIST}.`);
      return;
    }
    if (make === admittances && watched.simulation.replayOf !== undefined) {
      problems.add(`The service "${id}" has nothing to look at in a replay, which has no admittances; it is left out.`);
      return;
    }
    const settings = settingsOf(service);
    if (settings.length > 0)
      problems.add(`The service "${id}" has no settings here: ${settings.join(', ')}; no effect.`);
    if (!monitors.has(id)) monitors.set(id, { serviceId: id, ...make(watched) });
  });
  return { monitors: [...monitors.values()], problems: [...problems] };
}

/** What a request wants of a service beyond its name. */
function settingsOf({
  id: _id,
  user_options: options,
  ...others
}: SimulationRequest['services'][number]): readonly string[] {
  const inner = typeof options === 'object' && options !== null ? Object.keys(options) : [];
  return [...Object.keys(others), ...inner.map((key) => `user_options.${key}`)];
}

/** Names under which services speak: the real platform's voltage service has another in its topic than its id. */
const TOPIC_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['gridappsd-voltage-violation', ['gridappsd-voltage-violation', 'voltage_violation']],
  ['gridappsd-dynamic-ybus-service', ['gridappsd-dynamic-ybus']],
]);

/** Topics on which a service of a simulation speaks. */
export function monitorTopics({ serviceId }: OutputMonitor, simulationId: string): readonly string[] {
  const names = TOPIC_NAMES.get(serviceId) ?? [serviceId];
  return names.map((name) => serviceTopic(name, simulationId, 'output'));
}

/** Admittances where a switch, tap or capacitor bank has moved since the last output. */
function admittances({ simulationId, simulation, ybus }: Watched): Omit<OutputMonitor, 'serviceId'> {
  const feederId = simulation.feeder.mrid;
  return {
    look: (_, timestamp) => ybus.look({ feederId, simulationId }, timestamp),
    farewell: (processStatus) => JSON.stringify({ feeder_id: feederId, simulation_id: simulationId, processStatus }),
  };
}

/** Names every switching device and capacitor whose measured position changed since the last output. */
function alarms(feeder: Feeder): Omit<OutputMonitor, 'serviceId'> {
  const devices = [...feeder.switches, ...feeder.capacitors];
  const byId = new Map(devices.map((device) => [device.id, device]));
  const points = feeder.measurements.filter(({ type, equipmentId }) => type === 'Pos' && byId.has(equipmentId));
  let last: ReadonlyMap<string, number> | undefined;
  return {
    look(measurements) {
      const now = new Map<string, number>();
      const changed = new Map<string, { phases: string; isClosed: boolean }>();
      for (const { mrid, id, equipmentId, phase } of points) {
        const value = measurements[mrid || id]?.value ?? last?.get(mrid);
        if (value === undefined) continue;
        now.set(mrid, value);
        const before = last?.get(mrid);
        if (before === undefined || before === value) continue;
        const phases = (changed.get(equipmentId)?.phases ?? '') + phase;
        changed.set(equipmentId, { phases, isClosed: value !== 0 });
      }
      last = now;
      if (changed.size === 0) return undefined;
      return simulationAlarms.format(
        [...changed].map(([equipmentId, { phases, isClosed }]) => ({
          equipment_mrid: byId.get(equipmentId)!.mrid,
          equipment_name: byId.get(equipmentId)!.name,
          phases,
          value: isClosed ? 'Close' : 'Open',
          created_by: 'simulation',
        })),
      );
    },
  };
}

/** Voltages outside range A in pu of the nominal voltage of their bus, at every fifth output, also where there are none. */
function violations(feeder: Feeder): Omit<OutputMonitor, 'serviceId'> {
  const points = feeder.measurements.flatMap(({ type, mrid, bus, phase }) => {
    const base = feeder.busById.get(bus)?.baseVoltageV ?? 0;
    return type === 'PNV' && base > 0 && phase !== 'N' && phase.length < 3 ? [{ mrid, base }] : [];
  });
  let outputs = 0;
  return {
    look(measurements) {
      if (outputs++ % OUTPUTS_PER_JUDGEMENT !== 0) return undefined;
      const outside: Record<string, number> = {};
      for (const { mrid, base } of points) {
        const magnitude = measurements[mrid]?.magnitude;
        if (magnitude === undefined) continue;
        const pu = magnitude / base;
        if (pu < LEAST_PU || pu > LARGEST_PU) outside[mrid] = pu;
      }
      return voltageViolations.format(outside);
    },
  };
}
