/*
 * What a voltage regulator's control wants to do at a solved state.
 *
 * Steps: the voltage across the monitored winding over the PT ratio, plus the compensator's drop (R + jX) I / CT with
 * the current into the winding; outside half the band the whole change to the band centre is rounded to steps; of it
 * 70 % but at least one step is made in a static pass. A voltage above the upper limit is brought under it first, one
 * below the lower limit above it, and the band is not sought beyond a limit, where the two would hunt.
 * Source: OpenDSS, RegControl.pas (`Sample`, `AtLeastOneTap`, `VLimit`) in static control mode; the lower limit is CIM's
 * TapChangerControl.minLimitVoltage, treated alike.
 */
import { type CompiledFeeder, type Primitive, type Regulator, windingBaseVoltage } from '../model/index.js';

/** Largest change in one static pass, steps (OpenDSS `MaxTapChange`). */
const MOST_STEPS = 16;

/** A regulator with its places in the compiled network found. */
export interface PlacedRegulator {
  readonly regulator: Regulator;
  readonly element: number;
  /** Node indices across which the voltage is measured, -1 for ground. */
  readonly plus: number;
  readonly minus: number;
  /** Conductor of the transformer whose current the compensator sees; -1 for none. */
  readonly conductor: number;
  /** Voltage of one phase of the regulated winding at rating, V. */
  readonly windingBaseV: number;
}

/** Finds where a regulator measures. */
export function placeRegulator(compiled: CompiledFeeder, regulator: Regulator): PlacedRegulator {
  const transformer = compiled.transformers.get(regulator.transformerId)!;
  const element = compiled.elementIndex.get(regulator.transformerId)!;
  const { conductors, nodes } = compiled.elements[element]!;
  const own = conductors.flatMap((c, i) => (c.terminal === regulator.winding + 1 ? [i] : []));
  const winding = transformer.windings[regulator.winding]!;
  const wanted = regulator.monitored;
  const isOwnBus = !wanted || wanted.bus === winding.terminal.bus;
  // A ganged regulator watches one phase of its own winding: the monitored node when there is one, else the first.
  const first = own.find((i) => isOwnBus && wanted?.nodes[0] !== undefined && conductors[i]!.node === wanted.nodes[0]);
  const conductor = first ?? own[0]!;
  const neighbour =
    winding.connection === 'wye' || transformer.phases === 1
      ? own[own.length - 1]!
      : own[(own.indexOf(conductor) + 1) % own.length]!;
  const remote = wanted && !isOwnBus ? compiled.nodeIndex(wanted.bus, wanted.nodes[0] ?? 1) : -1;
  return {
    regulator,
    element,
    plus: remote >= 0 ? remote : nodes[conductor]!,
    minus: remote >= 0 ? compiled.nodeIndex(wanted?.bus ?? '', wanted?.nodes[1] ?? 0) : nodes[neighbour]!,
    conductor: remote >= 0 ? -1 : conductor,
    windingBaseV: windingBaseVoltage(transformer, regulator.winding),
  };
}

/** Voltage between two nodes, V, as re and im. */
function across(voltage: Float64Array, plus: number, minus: number): readonly [number, number] {
  return [
    (plus >= 0 ? voltage[2 * plus]! : 0) - (minus >= 0 ? voltage[2 * minus]! : 0),
    (plus >= 0 ? voltage[2 * plus + 1]! : 0) - (minus >= 0 ? voltage[2 * minus + 1]! : 0),
  ];
}

/** Current into one conductor of an element, A, as re and im. */
export function conductorCurrent(
  nodes: Int32Array,
  primitive: Primitive,
  conductor: number,
  voltage: Float64Array,
): readonly [number, number] {
  const { n, re, im } = primitive.y;
  let ir = 0;
  let ii = 0;
  for (let j = 0; j < n; j++) {
    const node = nodes[j]!;
    if (node < 0) continue;
    const gr = re[conductor * n + j]!;
    const gi = im[conductor * n + j]!;
    ir += gr * voltage[2 * node]! - gi * voltage[2 * node + 1]!;
    ii += gr * voltage[2 * node + 1]! + gi * voltage[2 * node]!;
  }
  return [ir, ii];
}

/**
 * Steps the control would make now; 0 when it rests or stands at its limit.
 *
 * @param position - present position, steps
 */
export function regulatorSteps(
  placed: PlacedRegulator,
  position: number,
  compiled: CompiledFeeder,
  primitive: Primitive,
  voltage: Float64Array,
): number {
  const { regulator } = placed;
  let [vr, vi] = across(voltage, placed.plus, placed.minus);
  vr /= regulator.ptRatio;
  vi /= regulator.ptRatio;
  const local = Math.hypot(vr, vi);
  const hasDrop = regulator.lineDropRV !== 0 || regulator.lineDropXV !== 0;
  if (regulator.hasLineDropCompensation && hasDrop && placed.conductor >= 0 && regulator.ctPrimaryA > 0) {
    const { nodes } = compiled.elements[placed.element]!;
    const [ir, ii] = conductorCurrent(nodes, primitive, placed.conductor, voltage);
    vr += (regulator.lineDropRV * ir - regulator.lineDropXV * ii) / regulator.ctPrimaryA;
    vi += (regulator.lineDropRV * ii + regulator.lineDropXV * ir) / regulator.ctPrimaryA;
  }
  const actual = Math.hypot(vr, vi);
  // 0 stands for a limit that is not set, as in OpenDSS.
  const upperV = limitOf(regulator.maxVoltageV, Number.POSITIVE_INFINITY);
  const lowerV = limitOf(regulator.minVoltageV, 0);
  const isOutOfBand = Math.abs(regulator.targetV - actual) > regulator.bandV / 2;
  const bandBoostV = isOutOfBand ? regulator.targetV - actual : 0;
  let boostV = bandBoostV;
  if (local > upperV) boostV = upperV - local;
  else if (local < lowerV) boostV = Math.max(lowerV - local, bandBoostV);
  if (boostV === 0) return 0;
  const stepV = (placed.windingBaseV * regulator.stepPu) / regulator.ptRatio;
  const wanted = Math.round(boostV / stepV);
  if (wanted === 0) return 0;
  let size = Math.min(MOST_STEPS, Math.max(1, Math.trunc(0.7 * Math.abs(wanted))));
  if (wanted > 0 && local >= lowerV) size = Math.min(size, Math.floor((upperV - local) / stepV));
  if (wanted < 0 && local <= upperV) size = Math.min(size, Math.floor((local - lowerV) / stepV));
  const target = Math.min(regulator.highStep, Math.max(regulator.lowStep, position + Math.sign(wanted) * size));
  return target - position;
}

function limitOf(volts: number | undefined, otherwise: number): number {
  return volts !== undefined && volts > 0 ? volts : otherwise;
}
