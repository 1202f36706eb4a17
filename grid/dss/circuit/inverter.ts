/*
 * What PVSystem and Storage have in common: connection, rating, vars, priorities; and the power in a snapshot.
 * Vars are cut to the range given and taken; where the rating is short, watts give way unless watts have priority.
 * Source: OpenDSS, PVsystem.pas and Storage.pas, checked with dss-python 0.15.7.
 */
import type { Inverter } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { DevicePlace } from './device-place.js';
import { curveOf } from './profile.js';

/** Parameters of an inverter while assignments are carried out. */
export class InverterParameters extends DevicePlace {
  kva: number;
  hasKva = false;
  factor = 1;
  kvar = 0;
  reactiveBy: 'powerFactor' | 'var' = 'powerFactor';
  mostKvar: number | undefined;
  leastKvar: number | undefined;
  cutInPct: number;
  cutOutPct: number;
  efficiency: Inverter['efficiency'] | undefined;
  followsInverter = false;
  hasWattPriority = false;
  hasFactorPriority = false;
  leastForVarPct = -1;
  leastForAllPct = -1;
  leastPu = 0.9;
  largestPu = 1.1;
  isLimited = false;
  isBalanced = false;
  /** 1 constant power, 2 an admittance. */
  model: 1 | 2 = 1;

  constructor(kva: number, cutPct: number) {
    super();
    this.kva = kva;
    this.cutInPct = cutPct;
    this.cutOutPct = cutPct;
  }

  /** @returns true where the property is one of an inverter */
  apply(reader: CircuitReader, object: DssObject, assignment: DssAssignment): boolean {
    if (this.applyPlace(reader, object, assignment)) return true;
    const number = (present: number) => reader.number(object, assignment) ?? present;
    switch (assignment.property) {
      case 'kva':
        this.kva = reader.positive(object, assignment) ?? this.kva;
        this.hasKva = true;
        return true;
      case 'pf': {
        const factor = reader.powerFactor(object, assignment);
        if (factor === undefined) return true;
        this.factor = factor;
        this.reactiveBy = 'powerFactor';
        return true;
      }
      case 'kvar':
        this.kvar = number(this.kvar);
        this.reactiveBy = 'var';
        return true;
      case 'kvarmax':
        this.mostKvar = Math.abs(number(this.mostKvar ?? 0));
        return true;
      case 'kvarmaxabs':
        this.leastKvar = Math.abs(number(this.leastKvar ?? 0));
        return true;
      case '%cutin':
        this.cutInPct = number(this.cutInPct);
        return true;
      case '%cutout':
        this.cutOutPct = number(this.cutOutPct);
        return true;
      case 'effcurve':
        this.efficiency = curveOf(reader, object, assignment);
        return true;
      case 'varfollowinverter':
        this.followsInverter = reader.flag(object, assignment);
        return true;
      case 'wattpriority':
        this.hasWattPriority = reader.flag(object, assignment);
        return true;
      case 'pfpriority':
        this.hasFactorPriority = reader.flag(object, assignment);
        return true;
      case '%pminnovars':
        this.leastForVarPct = number(this.leastForVarPct);
        return true;
      case '%pminkvarmax':
        this.leastForAllPct = number(this.leastForAllPct);
        return true;
      case 'vminpu':
        this.leastPu = number(this.leastPu);
        return true;
      case 'vmaxpu':
        this.largestPu = reader.positive(object, assignment) ?? this.largestPu;
        return true;
      case 'limitcurrent':
        this.isLimited = reader.flag(object, assignment);
        return true;
      case 'balanced':
        if (reader.flag(object, assignment) && !this.isBalanced) {
          this.isBalanced = true;
          reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, 'It injects by phase, not balanced.', assignment);
        }
        return true;
      case 'model': {
        const model = reader.count(object, assignment);
        if (model === 1 || model === 2) this.model = model;
        else if (model !== undefined) {
          this.model = 1;
          reader.note(
            'warning',
            'UNSUPPORTED_ATTRIBUTE',
            object,
            'It is read as constant power (model 1).',
            assignment,
            '1, 2',
          );
        }
        return true;
      }
      default:
        return false;
    }
  }

  /** The inverter of the model. @param defaultKvar - var limit where neither kVA nor kvarmax was written */
  inverter(defaultKvar: number): Inverter {
    const most = this.mostKvar ?? (this.hasKva ? this.kva : defaultKvar);
    const priority = this.hasFactorPriority ? 'powerFactor' : this.hasWattPriority ? 'watt' : 'var';
    return {
      ratedVA: this.kva * 1000,
      maxVar: most * 1000,
      minVar: (this.leastKvar ?? most) * 1000,
      reactive:
        this.reactiveBy === 'var'
          ? { by: 'var', powerVar: this.kvar * 1000 }
          : { by: 'powerFactor', powerFactor: this.factor },
      priority,
      cutInPct: this.cutInPct,
      cutOutPct: this.cutOutPct,
      varFollowsInverter: this.followsInverter,
      leastPowerForVarPct: Math.max(0, this.leastForVarPct),
      leastPowerForAllVarPct: Math.max(0, this.leastForAllPct),
      ...(this.efficiency ? { efficiency: this.efficiency } : {}),
      isCurrentLimited: this.isLimited,
    };
  }
}

/** The value of a curve at a point, the ends kept beyond it. */
export function curveAt(curve: { readonly x: readonly number[]; readonly y: readonly number[] }, at: number): number {
  const { x, y } = curve;
  if (at <= x[0]!) return y[0]!;
  for (let i = 1; i < x.length; i++) {
    if (at <= x[i]!) return y[i - 1]! + ((y[i]! - y[i - 1]!) * (at - x[i - 1]!)) / (x[i]! - x[i - 1]!);
  }
  return y[y.length - 1]!;
}

/**
 * Power at the terminals for an active power behind the inverter, W and var, generation positive.
 *
 * @param ratedW - what the inverter's percentages of power mean, W
 */
export function terminalPower(
  inverter: Inverter,
  activeW: number,
  ratedW: number,
  isOn: boolean,
): readonly [number, number] {
  if (!isOn && inverter.varFollowsInverter) return [0, 0];
  const { reactive, ratedVA } = inverter;
  const factor = reactive.by === 'powerFactor' ? reactive.powerFactor : 1;
  const wanted =
    reactive.by === 'var'
      ? reactive.powerVar
      : Math.abs(factor) < 1
        ? activeW * Math.sqrt(1 / factor ** 2 - 1) * Math.sign(factor)
        : 0;
  const share = ratedW > 0 ? (100 * Math.abs(activeW)) / ratedW : 0;
  const full = inverter.leastPowerForAllVarPct;
  const range = share < inverter.leastPowerForVarPct ? 0 : share < full ? share / full : 1;
  const vars = Math.min(inverter.maxVar * range, Math.max(-inverter.minVar * range, wanted));
  if (inverter.priority === 'powerFactor') {
    // Watts are lowered with vars that kvarMax has cut; above the rating the factor that was set is kept in any case.
    const watts = vars !== wanted && range === 1 ? (activeW * vars) / wanted : activeW;
    if (Math.hypot(watts, vars) <= ratedVA) return [watts, vars];
    const set = Math.hypot(activeW, wanted);
    return [(activeW * ratedVA) / set, (wanted * ratedVA) / set];
  }
  if (Math.hypot(activeW, vars) <= ratedVA) return [activeW, vars];
  const rest = (used: number) => Math.sqrt(Math.max(0, ratedVA ** 2 - used ** 2));
  if (inverter.priority === 'watt') {
    const kept = Math.sign(activeW) * Math.min(Math.abs(activeW), ratedVA);
    return [kept, Math.sign(vars) * Math.min(Math.abs(vars), rest(kept))];
  }
  const kept = Math.sign(vars) * Math.min(Math.abs(vars), ratedVA);
  return [Math.sign(activeW) * Math.min(Math.abs(activeW), rest(kept)), kept];
}
