/*
 * Generating and storing units in the power flow: their powers, the functions of their inverters, machines that hold a
 * voltage.
 *
 * Held voltage (OpenDSS generator model 3): the vars of a machine, equal in all phases and within their limits, are sought by
 * the secant until the mean voltage of its phases is the target within 1e-8 pu.
 */
import type { CompiledFeeder, Feeder, Machine } from '../model/index.js';
import type { ShareInjection } from './injection.js';
import { InverterFunction } from './inverter-control.js';
import type { PowerFlowStatus } from './power-flow.js';
import { type UnitOutput, UnitState } from './unit-state.js';

/** Deviation from a held voltage that counts as none, pu. */
const HELD_PU = 1e-8;
const HOLDING_ROUNDS = 40;
/** Voltage by which a machine's rated power in vars moves it, as a first guess, pu. */
const FIRST_GUESS_PU = 0.05;

interface Holder {
  readonly machine: Machine;
  readonly first: number;
  readonly end: number;
  /** Vars given now, all phases; what they and the deviation were a round before. */
  vars: number;
  lastVars: number;
  lastGap: number;
}

/** How the rounds of the inverters' functions ended. */
export interface InverterOutcome {
  readonly status: PowerFlowStatus;
  readonly rounds: number;
  /** Names of the functions that still moved. */
  readonly unsettled: readonly string[];
}

/** All units of a compiled feeder. */
export class Generation {
  readonly units = new Map<string, UnitState>();
  private readonly functions: readonly InverterFunction[];
  private readonly holders: readonly Holder[];
  private readonly outputs = new Map<string, UnitOutput>();
  private multiplier = 1;

  constructor(
    feeder: Feeder,
    private readonly compiled: CompiledFeeder,
    private readonly injection: ShareInjection,
  ) {
    for (const der of [...feeder.pvSystems, ...feeder.batteries, ...feeder.machines]) {
      this.units.set(der.id, new UnitState(der));
    }
    this.functions = feeder.inverterControls
      .filter(({ isEnabled }) => isEnabled)
      .map((control) => {
        const units = control.derIds.flatMap((id) => this.units.get(id) ?? []);
        return new InverterFunction(control, compiled, units);
      });
    this.holders = feeder.machines
      .filter(({ model }) => model === 3)
      .map((machine) => {
        const [first, end] = compiled.shares.rangeOf.get(machine.id)!;
        const vars = machine.shares.reduce((sum, share) => sum + share.powerVar, 0);
        return { machine, first, end, vars, lastVars: Number.NaN, lastGap: Number.NaN };
      });
  }

  /** Sets the powers of all units whose power does not simply follow from the model's shares. */
  apply(multiplier: number): void {
    this.multiplier = multiplier;
    this.outputs.clear();
    for (const unit of this.units.values()) if (unit.isGoverned) this.set(unit);
    for (const holder of this.holders) this.setVars(holder);
  }

  /** Present power of a unit, generation positive. */
  output(unit: UnitState): UnitOutput {
    let output = this.outputs.get(unit.id);
    if (!output) {
      output = unit.output(this.multiplier);
      this.outputs.set(unit.id, output);
    }
    return output;
  }

  /** Writes the consumption of governed units, before multipliers, into arrays over all shares, W and var. */
  writeShares(powerW: Float64Array, powerVar: Float64Array): void {
    for (const unit of this.units.values()) {
      if (!unit.isGoverned) continue;
      const [first, end] = this.compiled.shares.rangeOf.get(unit.id)!;
      const output = unit.output(1);
      powerW.fill(-output.powerW / (end - first), first, end);
      powerVar.fill(-output.powerVar / (end - first), first, end);
    }
    for (const { vars, first, end } of this.holders) powerVar.fill(-vars / (end - first), first, end);
  }

  private set(unit: UnitState): void {
    const output = unit.output(this.multiplier);
    this.outputs.set(unit.id, output);
    const [first, end] = this.compiled.shares.rangeOf.get(unit.id)!;
    const count = end - first;
    for (let k = first; k < end; k++) {
      this.injection.setPower(k, -output.powerW / count, -output.powerVar / count);
    }
  }

  private setVars({ vars, first, end }: Holder): void {
    for (let k = first; k < end; k++) this.injection.setPower(k, this.injection.powerW[k]!, -vars / (end - first));
  }

  /**
   * Brings the held voltages to their targets.
   *
   * @param voltage - the last solution; read anew after each solve
   * @param settle - solves at the present powers
   */
  hold(voltage: () => Float64Array, settle: () => PowerFlowStatus): PowerFlowStatus {
    let status: PowerFlowStatus = 'converged';
    for (let round = 0; round < HOLDING_ROUNDS && this.holders.length > 0; round++) {
      let isMoving = false;
      for (const holder of this.holders) if (this.seek(holder, voltage())) isMoving = true;
      if (!isMoving) return status;
      status = settle();
      if (status !== 'converged') return status;
    }
    return status;
  }

  private seek(holder: Holder, voltage: Float64Array): boolean {
    const { machine, first, end, vars } = holder;
    const { a, b, ratedV } = this.compiled.shares;
    let sum = 0;
    for (let k = first; k < end; k++) {
      const i = 2 * a[k]!;
      const j = 2 * b[k]!;
      const re = (i >= 0 ? voltage[i]! : 0) - (j >= 0 ? voltage[j]! : 0);
      const im = (i >= 0 ? voltage[i + 1]! : 0) - (j >= 0 ? voltage[j + 1]! : 0);
      sum += Math.hypot(re, im) / ratedV[k]!;
    }
    const gap = (machine.voltageTargetPu ?? 1) - sum / (end - first);
    const most = machine.maxVar ?? machine.ratedPowerVA;
    const least = machine.minVar ?? -most;
    if (Math.abs(gap) <= HELD_PU) return false;
    const run = vars - holder.lastVars;
    const slope = run === 0 ? Number.NaN : (gap - holder.lastGap) / run;
    const perPu = slope < 0 ? -1 / slope : Math.max(machine.ratedPowerVA, Math.abs(most)) / FIRST_GUESS_PU;
    const next = Math.min(most, Math.max(least, vars + perPu * gap));
    if (next === vars) return false;
    holder.lastVars = vars;
    holder.lastGap = gap;
    holder.vars = next;
    this.setVars(holder);
    return true;
  }

  /** True when some function has units to act on. */
  get hasFunctions(): boolean {
    return this.functions.length > 0;
  }

  /**
   * Rounds of the inverters' functions until all rest.
   *
   * @param limit - rounds allowed
   */
  settleFunctions(
    voltage: () => Float64Array,
    settle: () => PowerFlowStatus,
    limit: number,
    isFirst: boolean,
  ): InverterOutcome {
    let status: PowerFlowStatus = 'converged';
    const outputOf = (unit: UnitState) => this.output(unit);
    for (const each of this.functions) {
      if (isFirst) each.begin(outputOf);
      else each.resume();
    }
    for (let rounds = 0; ; rounds++) {
      const moving = this.functions.filter((each) => each.round(voltage(), outputOf));
      if (moving.length === 0) return { status, rounds, unsettled: [] };
      if (rounds >= limit) return { status: 'controlsUnsettled', rounds, unsettled: moving.map(({ name }) => name) };
      for (const each of moving) for (const unit of each.controlled) this.set(unit);
      status = settle();
      if (status !== 'converged') return { status, rounds: rounds + 1, unsettled: [] };
    }
  }

  /** What units and functions have to remember, by id. */
  memory(): Record<string, Readonly<Record<string, number>>> {
    const memory: Record<string, Readonly<Record<string, number>>> = {};
    for (const each of [...this.units.values(), ...this.functions]) {
      const own = each.memory();
      if (Object.keys(own).length > 0) memory[each.id] = own;
    }
    return memory;
  }

  restore(memory: Readonly<Record<string, Readonly<Record<string, number>>>>): void {
    for (const each of [...this.units.values(), ...this.functions]) each.restore(memory[each.id] ?? {});
  }

  /** Lets time pass at the present powers: stored energy, moving averages, adaptive references. */
  advance(voltage: Float64Array, timeS: number, seconds: number): void {
    for (const each of this.functions) each.advance(voltage, timeS, seconds);
    for (const unit of this.units.values()) {
      if (unit.der.kind === 'battery') unit.advance(seconds, this.output(unit).powerW);
    }
  }
}
