/*
 * What a voltage regulator's control wants to do at a solved state.
 *
 * Steps: the voltage across the monitored winding over the PT ratio, plus the compensator's drop (R + jX) I / CT with
 * the current into the winding; outside half the band the whole change to the band centre is rounded to steps; of it
 * 70 % but at least one step is made in a static pass. A voltage above the upper limit is brought under it first, one
 * below the lower limit above it, and the band is not sought beyond a limit, where the two would hunt.
 * Reverse power: beyond the threshold, after its delay, the control turns round: it regulates the other side, whose voltage
 * it takes for its own over the tap's ratio, by the reverse settings, moving the tap the other way, or goes to neutral, or (co-generation) goes on forward with the reverse
 * target, band and compensator settings. It turns back when forward power passes the threshold again.
 * In time mode one step is made when due, the next after the subsequent delay, until the steps wanted last are made. A
 * voltage that comes back into the band takes back the first announcement alone: that of a further step stays, and if the
 * voltage has left the band again when it is due, it makes a step without the initial delay.
 * Source: OpenDSS, RegControl (behaviour measured with DSS C-API 0.14.5: tests/conformance/opendss/series.test.ts); the lower
 * limit is CIM's TapChangerControl.minLimitVoltage, treated alike.
 */
import {
  type CompiledFeeder,
  deltaDirection,
  type Primitive,
  type Regulator,
  windingBaseVoltage,
} from '../model/index.js';
import type { ControlledStates, ControlView, FlowControl } from './control/control.js';
import type { PendingAction } from './control/queue.js';

/** Largest change in one static pass, steps (OpenDSS `MaxTapChange`). */
const MOST_STEPS = 16;
/** Share of what is wanted that is made in one static pass. */
const SHARE = 0.7;

/** A regulator with its places in the compiled network found. */
export interface PlacedRegulator {
  readonly regulator: Regulator;
  readonly element: number;
  /** Node indices across which the voltage is measured, -1 for ground. */
  readonly plus: number;
  readonly minus: number;
  /** Conductor of the transformer whose current the compensator sees; -1 for none. */
  readonly conductor: number;
  /** The phases among which the largest or smallest voltage is sought; empty where one is fixed. */
  readonly phases: readonly { readonly plus: number; readonly minus: number; readonly conductor: number }[];
  /** First phase of its own winding: where the limit is held when another bus is regulated. */
  readonly localPlus: number;
  readonly localMinus: number;
  /** Voltage of one phase of the regulated winding at rating, V. */
  readonly windingBaseV: number;
  /** -1 where the tap is on another winding than the one it regulates: raising it lowers the voltage there. */
  readonly direction: 1 | -1;
}

/** Finds where a regulator measures. */
export function placeRegulator(compiled: CompiledFeeder, regulator: Regulator): PlacedRegulator {
  const transformer = compiled.transformers.get(regulator.transformerId)!;
  const element = compiled.elementIndex.get(regulator.transformerId)!;
  const { conductors, nodes } = compiled.elements[element]!;
  const wanted = regulator.monitored;
  const isAtTap = !wanted || wanted.bus === transformer.windings[regulator.winding]!.terminal.bus;
  const other = isAtTap ? -1 : transformer.windings.findIndex(({ terminal }) => terminal.bus === wanted.bus);
  const side = regulator.remotePtWinding ?? (other >= 0 ? other : regulator.winding);
  const own = conductors.flatMap((c, i) => (c.terminal === side + 1 ? [i] : []));
  const winding = transformer.windings[side]!;
  const isOwnBus = !wanted || (regulator.remotePtWinding === undefined && wanted.bus === winding.terminal.bus);
  // A ganged regulator watches one phase of its own winding: the monitored node when there is one, else the first.
  const first = own.find((i) => isOwnBus && wanted?.nodes[0] !== undefined && conductors[i]!.node === wanted.nodes[0]);
  const conductor = first ?? own[0]!;
  const remote = wanted && !isOwnBus ? compiled.nodeIndex(wanted.bus, wanted.nodes[0] ?? 1) : -1;
  // A phase of a delta is the winding that begins at its conductor: it ends where the delta closes.
  const direction = deltaDirection(transformer);
  const after = (i: number) =>
    winding.connection === 'wye' || transformer.phases === 1
      ? own[own.length - 1]!
      : own[(own.indexOf(i) + direction + own.length) % own.length]!;
  const phases = own
    .slice(0, transformer.phases)
    .map((i) => ({ plus: nodes[i]!, minus: nodes[after(i)]!, conductor: i }));
  return {
    regulator,
    element,
    plus: remote >= 0 ? remote : nodes[conductor]!,
    minus: remote >= 0 ? compiled.nodeIndex(wanted?.bus ?? '', wanted?.nodes[1] ?? 0) : nodes[after(conductor)]!,
    conductor: remote >= 0 ? -1 : conductor,
    phases: regulator.monitoredExtreme && remote < 0 ? phases : [],
    localPlus: nodes[own[0]!]!,
    localMinus: nodes[after(own[0]!)]!,
    windingBaseV: windingBaseVoltage(transformer, side),
    direction: side === regulator.winding ? 1 : -1,
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

/** What a regulator's control sees, V on the PT secondary. */
export interface RegulatorVoltage {
  /** At the regulated place. */
  readonly localV: number;
  /** With the compensator's drop: what the band is held against. */
  readonly actualV: number;
}

/** The phase whose voltage is the largest or smallest, where that decides. */
function extremePhase(
  { regulator, phases }: PlacedRegulator,
  voltage: Float64Array,
): PlacedRegulator['phases'][number] | undefined {
  const sign = regulator.monitoredExtreme === 'min' ? -1 : 1;
  let best: PlacedRegulator['phases'][number] | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const phase of phases) {
    const value = sign * Math.hypot(...across(voltage, phase.plus, phase.minus));
    if (value <= most) continue;
    most = value;
    best = phase;
  }
  return best;
}

/**
 * The voltages a control decides by.
 *
 * @param isTurned - whether it has turned round because of reverse power
 * @param position - present position of the tap, steps: while it is turned round, it holds the voltage over the tap's ratio
 */
export function regulatorVoltage(
  placed: PlacedRegulator,
  compiled: CompiledFeeder,
  primitive: Primitive,
  voltage: Float64Array,
  isTurned = false,
  position = placed.regulator.neutralStep,
): RegulatorVoltage {
  const { regulator } = placed;
  const reverse = isTurned ? regulator.reverse : undefined;
  const isReverse = reverse !== undefined && !reverse.isCogeneration;
  const { lineDropRV, lineDropXV } = reverse ?? regulator;
  const lineDropZV = (reverse ?? regulator).lineDropZV ?? 0;
  const ratio = isReverse ? 1 + (position - regulator.neutralStep) * regulator.stepPu : 1;
  const seen = extremePhase(placed, voltage);
  const conductor = seen?.conductor ?? placed.conductor;
  let [vr, vi] = across(voltage, seen?.plus ?? placed.plus, seen?.minus ?? placed.minus);
  const ptRatio = placed.conductor < 0 ? (regulator.remotePtRatio ?? regulator.ptRatio) : regulator.ptRatio;
  vr /= ptRatio;
  vi /= ptRatio;
  const localV =
    placed.conductor < 0
      ? Math.hypot(...across(voltage, placed.localPlus, placed.localMinus)) / regulator.ptRatio
      : Math.hypot(vr, vi);
  // Without forward settings the compensator is off, in reverse too.
  const hasForwardZ = (regulator.lineDropZV ?? 0) !== 0;
  const hasDrop = regulator.lineDropRV !== 0 || regulator.lineDropXV !== 0 || hasForwardZ;
  if (regulator.hasLineDropCompensation && hasDrop && conductor >= 0 && regulator.ctPrimaryA > 0) {
    const { nodes } = compiled.elements[placed.element]!;
    const [ir, ii] = conductorCurrent(nodes, primitive, conductor, voltage);
    if (hasForwardZ) {
      const dropV = (Math.hypot(ir, ii) * lineDropZV) / regulator.ctPrimaryA;
      return { localV, actualV: Math.abs(Math.hypot(vr, vi) - dropV) / ratio };
    }
    vr += (lineDropRV * ir - lineDropXV * ii) / regulator.ctPrimaryA;
    vi += (lineDropRV * ii + lineDropXV * ir) / regulator.ctPrimaryA;
  }
  return { localV, actualV: Math.hypot(vr, vi) / ratio };
}

/** A change of the tap that a control would like. */
class TapWish {
  /**
   * @param steps - to the band centre, signed as the tap moves; 0 when it rests
   * @param most - steps at most before a voltage limit is reached
   * @param isNeeded - false where the voltage is in the band and within the limits
   * @param actualV - what the control sees against its band, V
   */
  constructor(
    readonly steps: number,
    readonly most: number,
    readonly isNeeded: boolean,
    readonly actualV: number,
  ) {}
}

/**
 * Steps the control would like to make now, whatever the ends of the tap range.
 *
 * @param isTurned - whether it has turned round because of reverse power
 */
function tapWish(
  placed: PlacedRegulator,
  compiled: CompiledFeeder,
  primitive: Primitive,
  voltage: Float64Array,
  isTurned: boolean,
  position: number,
): TapWish {
  const { regulator } = placed;
  const reverse = isTurned ? regulator.reverse : undefined;
  const isReverse = reverse !== undefined && !reverse.isCogeneration;
  const { targetV, bandV } = reverse ?? regulator;
  const { localV: local, actualV: actual } = regulatorVoltage(placed, compiled, primitive, voltage, isTurned, position);
  // 0 stands for a limit that is not set, as in OpenDSS.
  const upperV = limitOf(regulator.maxVoltageV, Number.POSITIVE_INFINITY);
  const lowerV = limitOf(regulator.minVoltageV, 0);
  const isOutOfBand = Math.abs(targetV - actual) > bandV / 2;
  const bandBoostV = isOutOfBand ? targetV - actual : 0;
  let boostV = bandBoostV;
  if (local > upperV) boostV = upperV - local;
  else if (local < lowerV) boostV = Math.max(lowerV - local, bandBoostV);
  const stepV = (placed.windingBaseV * regulator.stepPu) / regulator.ptRatio;
  const wanted = Math.round(boostV / stepV);
  if (wanted === 0) return new TapWish(0, 0, boostV !== 0, actual);
  let most = Number.POSITIVE_INFINITY;
  if (wanted > 0 && local >= lowerV) most = Math.round((upperV - local) / stepV);
  if (wanted < 0 && local <= upperV) most = Math.floor((local - lowerV) / stepV);
  const sense = Math.sign(wanted) * placed.direction * (isReverse ? -1 : 1);
  return new TapWish(sense * Math.abs(wanted), Math.max(0, most), true, actual);
}

function limitOf(volts: number | undefined, otherwise: number): number {
  return volts !== undefined && volts > 0 ? volts : otherwise;
}

/** Active power through the regulated winding towards its terminal, W. */
function forwardPower(placed: PlacedRegulator, { compiled, primitives, voltage }: ControlView): number {
  const { nodes, conductors } = compiled.elements[placed.element]!;
  const terminal = conductors[placed.conductor]?.terminal ?? placed.regulator.winding + 1;
  let into = 0;
  conductors.forEach((conductor, i) => {
    const node = nodes[i]!;
    if (conductor.terminal !== terminal || node < 0) return;
    const [ir, ii] = conductorCurrent(nodes, primitives[placed.element]!, i, voltage);
    into += voltage[2 * node]! * ir + voltage[2 * node + 1]! * ii;
  });
  return -into;
}

/** Inverse time shortens a delay by this at most (OpenDSS RegControl). */
const MOST_HASTE = 10;
/** Deviation in half bands below which inverse time does not lengthen a delay further. */
const LEAST_HASTE = 1e-9;

/** The control of one tap changer. */
export class RegulatorControl implements FlowControl {
  readonly id: string;
  readonly deviceId: string;
  readonly name: string;
  private isTurned = false;
  /** Whether it has announced steps and not made them or given them up. */
  private isArmed = false;
  /** Steps it would make when an announcement falls due. */
  private wanted = 0;

  constructor(readonly placed: PlacedRegulator) {
    this.id = placed.regulator.id;
    this.deviceId = this.id;
    this.name = placed.regulator.name;
  }

  sample(view: ControlView): void {
    const { regulator, conductor } = this.placed;
    const { queue, nowS } = view;
    const { reverse } = regulator;
    // A control of a bus of its own knows no direction.
    if (regulator.isReversible && reverse && conductor >= 0) {
      const forwardW = forwardPower(this.placed, view);
      const wantsTurn = this.isTurned ? forwardW > reverse.thresholdW : forwardW < -reverse.thresholdW;
      if (!wantsTurn) queue.remove(this.id, 'reverse');
      else if (!queue.find(this.id, 'reverse')) {
        queue.push({ controlId: this.id, kind: 'reverse', dueS: nowS + reverse.delayS, amount: 0 });
      }
    }
    if (!queue.find(this.id, 'tap')) this.isArmed = false;
    if (this.isTurned && reverse?.isNeutral) this.seekNeutral(view);
    else this.seekBand(view);
    // What is wanted counts for nothing without an announcement: states that act alike then are alike.
    if (!queue.find(this.id, 'tap')) this.wanted = 0;
  }

  private seekNeutral({ queue, nowS, position }: ControlView): void {
    const { regulator } = this.placed;
    if (this.isArmed) return;
    this.wanted = Math.round(regulator.neutralStep - position(this.id));
    if (this.wanted === 0) return;
    queue.push({ controlId: this.id, kind: 'tap', dueS: nowS + regulator.subsequentDelayS, amount: 0 });
    this.isArmed = true;
  }

  private seekBand({ queue, nowS, position, compiled, primitives, voltage }: ControlView): void {
    const { placed } = this;
    const { regulator } = placed;
    const present = position(this.id);
    const wish = tapWish(placed, compiled, primitives[placed.element]!, voltage, this.isTurned, present);
    this.wanted = Math.sign(wish.steps) * Math.min(Math.abs(wish.steps), wish.most);
    if (!wish.isNeeded) {
      if (this.isArmed) queue.takeBack(this.id);
      this.isArmed = false;
      return;
    }
    if (this.wanted === 0 || this.isArmed || regulator.maxTapChange === 0) return;
    if (this.wanted > 0 ? present >= regulator.highStep : present <= regulator.lowStep) return;
    const haste = Math.min(MOST_HASTE, (2 * Math.abs(regulator.targetV - wish.actualV)) / regulator.bandV);
    const delayS = regulator.isInverseTime
      ? regulator.initialDelayS / Math.max(LEAST_HASTE, haste)
      : regulator.initialDelayS;
    queue.push({ controlId: this.id, kind: 'tap', dueS: nowS + delayS, amount: 0, isRevocable: true });
    this.isArmed = true;
  }

  act(action: PendingAction, view: ControlView, states: ControlledStates): void {
    if (action.kind === 'reverse') {
      this.isTurned = !this.isTurned;
      return;
    }
    if (this.wanted === 0) {
      this.isArmed = false;
      return;
    }
    const { regulator } = this.placed;
    const size = Math.abs(this.wanted);
    const way = Math.sign(this.wanted);
    const made = view.isTimed
      ? 1
      : Math.min(regulator.maxTapChange ?? MOST_STEPS, Math.max(1, Math.trunc(SHARE * size)));
    const target = view.position(this.id) + way * made;
    states.setTap(this.id, Math.min(regulator.highStep, Math.max(regulator.lowStep, target)));
    this.wanted = view.isTimed ? this.wanted - way : 0;
    if (this.wanted === 0) {
      this.isArmed = false;
      return;
    }
    const dueS = view.nowS + regulator.subsequentDelayS;
    view.queue.push({ controlId: this.id, kind: 'tap', dueS, amount: 0 });
  }

  memory(): Readonly<Record<string, number>> {
    return {
      isTurned: this.isTurned ? 1 : 0,
      ...(this.isArmed ? { isArmed: 1 } : {}),
      ...(this.wanted === 0 ? {} : { wanted: this.wanted }),
    };
  }

  restore(memory: Readonly<Record<string, number>>): void {
    this.isTurned = memory['isTurned'] === 1;
    this.isArmed = memory['isArmed'] === 1;
    this.wanted = memory['wanted'] ?? 0;
  }
}
