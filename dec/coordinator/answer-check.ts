import { z } from 'zod';
import {
  type AgentOpening,
  type BoundaryAnswer,
  type BoundaryVerification,
  type DerSetpoint,
  mridKey,
} from '../../bus/index.js';

/** Largest power at one port node or of one DER that can be meant, W or var. */
const POWER_MAX_W = 1e9;
/** Squares of port voltages that can be meant while duals still grow: an unlimited agent answers the target itself, pu. */
const VOLTAGE_SQUARED_MIN_PU = -1e6;
const VOLTAGE_SQUARED_MAX_PU = 1e6;
/** Largest voltage an agent's own AC check can have found, pu. */
const VOLTAGE_MAX_PU = 10;

/** Largest share of a unit's power at one port node, and largest weight, that can be meant. */
const SHARE_MAX = 100;
const FACTOR_MAX = 1e6;
/** Largest part of a terminal's squared voltage that can be meant, pu squared. */
const TERMINAL_SQUARED_MAX_PU = 100;

/** Loads that an agent may draw together, of what they are nominally, and beyond what their rules multiply them by. */
const LOAD_SPREAD = 5;
/** What units may feed in together, of their ratings: losses, and rounding of ratings. */
const UNIT_SPREAD = 1.2;
/** Charging, magnetising and losses of an agent's own network, W and var. */
const NETWORK_SPREAD = 2000;
/** Share of a transformer's rating that its reactive power may come to where nothing is connected, magnetising included. */
const TRANSFORMER_SPREAD = 0.2;
/** Phases and neutral. */
const NODES_PER_BUS = 4;

const share = z.object({ powerW: z.number(), powerVar: z.number().catch(0) });
const ported = z.object({
  model: z.object({
    port: z.object({ nodes: z.array(z.number()) }),
    feeder: z
      .object({
        loads: z.array(z.object({ shares: z.array(share) })),
        pvSystems: z.array(z.object({ mrid: z.string().catch(''), maxPowerW: z.number() })),
        batteries: z.array(z.object({ maxPowerW: z.number(), maxChargeW: z.number() })).catch([]),
        machines: z.array(z.object({ shares: z.array(share) })).catch([]),
        transformers: z.array(z.object({ ratedVA: z.number().catch(0) })).catch([]),
        buses: z.array(z.unknown()).optional().catch(undefined),
      })
      .optional()
      .catch(undefined),
  }),
});

/** What a run multiplies nominal loads and sun by. */
export interface Multipliers {
  readonly load: number;
  readonly pv: number;
}

/** What an agent's port can carry. */
export interface PortFacts {
  readonly nodes: number;
  /** Bounds of the power that all nodes draw together: what its units may feed in, what its loads may draw, W. */
  readonly leastW: number;
  readonly mostW: number;
  /** Bound of the reactive power of all nodes together, var. */
  readonly mostVar: number;
  /** Limits of voltage that its network has at most, upper and lower by node; unknown where the assignment lists no buses. */
  readonly limitsMax?: number;
  /** Ratings of the agent's PV systems by {@link mridKey}, W. */
  readonly unitsW: ReadonlyMap<string, number>;
}

/**
 * What the port of an assignment can carry: an answer beyond it is not true, whatever its reason. Loads may be five times
 * their nominal power and the run's multiplier; units feed in what they are rated for. Undefined when it names no port.
 */
export function portFactsOf(
  assignment: unknown,
  { load, pv }: Multipliers = { load: 1, pv: 1 },
): PortFacts | undefined {
  const model = ported.safeParse(assignment).data?.model;
  if (model === undefined) return undefined;
  const nodes = model.port.nodes.length;
  const { feeder } = model;
  if (feeder === undefined) {
    return { nodes, leastW: -POWER_MAX_W, mostW: POWER_MAX_W, mostVar: POWER_MAX_W, unitsW: new Map() };
  }
  const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
    items.reduce((total, item) => total + Math.abs(of(item)), 0);
  const drawn = (items: readonly { readonly shares: readonly z.infer<typeof share>[] }[]): number =>
    sum(items, ({ shares }) => sum(shares, ({ powerW, powerVar }) => Math.hypot(powerW, powerVar)));
  const unitsW = sum(feeder.pvSystems, ({ maxPowerW }) => maxPowerW) + drawn(feeder.machines);
  const batteriesW = sum(feeder.batteries, ({ maxPowerW, maxChargeW }) => Math.max(maxPowerW, maxChargeW));
  const loadsW = LOAD_SPREAD * Math.max(1, load) * drawn(feeder.loads);
  const ownW = NETWORK_SPREAD + TRANSFORMER_SPREAD * sum(feeder.transformers, ({ ratedVA }) => ratedVA);
  const fedW = UNIT_SPREAD * (Math.max(1, pv) * unitsW + batteriesW);
  return {
    nodes,
    leastW: -(fedW + ownW),
    mostW: loadsW + UNIT_SPREAD * batteriesW + ownW,
    mostVar: loadsW + 2 * fedW + ownW,
    ...(feeder.buses === undefined ? {} : { limitsMax: 2 * NODES_PER_BUS * feeder.buses.length }),
    unitsW: new Map(
      feeder.pvSystems.flatMap(({ mrid, maxPowerW }) =>
        mrid === '' ? [] : [[mridKey(mrid), Math.max(1, pv) * maxPowerW] as const],
      ),
    ),
  };
}

/**
 * Why an agent's boundary quantities cannot be true; undefined when they can.
 * @param port - what the agent's port can carry; only what no port can is found without it
 */
export function boundaryFault(answer: BoundaryAnswer, port: PortFacts | undefined): string | undefined {
  const nodes = port?.nodes;
  const { voltageSquaredPu, lowestVoltageSquaredPu: lowest, alpha = 0, alphaSum = 0, alphaCount = 0 } = answer;
  const voltageFault = (name: string, values: readonly number[]) =>
    vectorFault(name, values, nodes, VOLTAGE_SQUARED_MIN_PU, VOLTAGE_SQUARED_MAX_PU);
  return (
    powerFault(answer, port) ??
    (voltageSquaredPu.length === 0 ? undefined : voltageFault('voltageSquaredPu', voltageSquaredPu)) ??
    (lowest === undefined ? undefined : voltageFault('lowestVoltageSquaredPu', lowest)) ??
    ([alpha, alphaSum, alphaCount].every(Number.isFinite) ? undefined : 'a curtailed fraction is not finite')
  );
}

/** Why what an agent offers cannot be true; undefined when it can. */
export function openingFault(opening: AgentOpening, port: PortFacts | undefined): string | undefined {
  const nodes = port?.nodes;
  const fault = powerFault(opening, port);
  if (fault !== undefined) return fault;
  const units = opening.units.length;
  for (const { availableW, usedW, factor, ratingVA, shareRe, shareIm, terminals } of opening.units) {
    const found =
      vectorFault('availableW', [availableW], 1, Number.MIN_VALUE, POWER_MAX_W) ??
      vectorFault('usedW, ratingVA', [usedW, ratingVA], 2, 0, POWER_MAX_W) ??
      vectorFault('factor', [factor], 1, Number.MIN_VALUE, FACTOR_MAX) ??
      vectorFault('shareRe', shareRe, nodes, -SHARE_MAX, SHARE_MAX) ??
      vectorFault('shareIm', shareIm, nodes, -SHARE_MAX, SHARE_MAX) ??
      terminalFault(terminals, units, nodes);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why what a unit's terminals follow cannot be true; undefined when it can. */
function terminalFault(
  terminals: AgentOpening['units'][number]['terminals'],
  units: number,
  nodes: number | undefined,
): string | undefined {
  if (terminals?.length === 0) return 'a unit has no terminal';
  const most = TERMINAL_SQUARED_MAX_PU;
  for (const { base, perAlpha, perVar, perPort } of terminals ?? []) {
    if (perAlpha.length !== units || perVar.length !== units)
      return `a terminal has not one value for each of ${units} units`;
    const found =
      vectorFault('base, perAlpha, perVar', [base, ...perAlpha, ...perVar], undefined, -most, most) ??
      vectorFault('perPort', perPort, nodes, -most, most);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why an agent's AC check cannot be true; undefined when it can. */
export function verificationFault(answer: BoundaryVerification, port: PortFacts | undefined): string | undefined {
  const { maxVoltagePu, minVoltagePu } = answer;
  return (
    powerFault(answer, port) ??
    vectorFault('maxVoltagePu, minVoltagePu', [maxVoltagePu, minVoltagePu], 2, 0, VOLTAGE_MAX_PU)
  );
}

/** Why an agent's set-points cannot be meant; undefined when they can. */
export function setpointFault(setpoints: readonly DerSetpoint[]): string | undefined {
  for (const { derMrid, setpointW, setpointVar } of setpoints) {
    const fault = vectorFault(`set-point of ${derMrid}`, [setpointW, setpointVar], 2, -POWER_MAX_W, POWER_MAX_W);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Sun beyond its rating that a unit may have: rounding of ratings and of measurements. */
const SUN_SPREAD = 1.02;
/** A fraction may have moved by this since it was told: the answer to the last round can be lost, and a hundredth is left free. */
const FREE_ALPHA = 1e-2;

/**
 * Why an agent's set-points cannot be those of the dispatch that was verified: together they leave more than it said; undefined
 * when they can. A set-point is what is left of the sun, which no unit has more of than its rating.
 *
 * @param curtailed - sum over its units of the fractions that it said it curtails
 */
export function overshootFault(
  setpoints: readonly DerSetpoint[],
  curtailed: number,
  { unitsW }: Pick<PortFacts, 'unitsW'>,
): string | undefined {
  let taken = 0;
  for (const { derMrid, setpointW } of setpoints) {
    const ratingW = unitsW.get(mridKey(derMrid));
    // A unit that is not the agent's own is refused when commands are written.
    if (ratingW === undefined || ratingW <= 0) return undefined;
    taken += 1 - Math.min(1, setpointW / (SUN_SPREAD * ratingW));
  }
  if (taken >= curtailed - FREE_ALPHA * Math.max(1, setpoints.length)) return undefined;
  const [shown, told] = [taken, curtailed].map((fraction) => fraction.toFixed(3));
  return `its set-points curtail ${shown} of its units together where its last answer said ${told}`;
}

function powerFault(
  { powerW, powerVar }: { readonly powerW: readonly number[]; readonly powerVar: readonly number[] },
  port: PortFacts | undefined,
): string | undefined {
  const found =
    vectorFault('powerW', powerW, port?.nodes, -POWER_MAX_W, POWER_MAX_W) ??
    vectorFault('powerVar', powerVar, port?.nodes, -POWER_MAX_W, POWER_MAX_W);
  if (found !== undefined || port === undefined) return found;
  const { leastW, mostW, mostVar } = port;
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  return (
    rangeFault('active power of its port', total(powerW), leastW, mostW, 'W') ??
    rangeFault('reactive power of its port', total(powerVar), -mostVar, mostVar, 'var')
  );
}

function rangeFault(name: string, value: number, least: number, most: number, unit: string): string | undefined {
  if (value >= least && value <= most) return undefined;
  const [shown, from, to] = [value, least, most].map(Math.round);
  return `the ${name} is ${shown} ${unit}, where its loads and units allow ${from} to ${to} ${unit}`;
}

function vectorFault(
  name: string,
  values: readonly number[],
  length: number | undefined,
  min: number,
  max: number,
): string | undefined {
  if (length !== undefined && values.length !== length) {
    return `${name} has ${values.length} values where the port has ${length} nodes`;
  }
  const wrong = values.find((value) => !(value >= min && value <= max));
  return wrong === undefined ? undefined : `${name} holds ${wrong}, which is outside ${min} to ${max}`;
}
