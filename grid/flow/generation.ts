/*
 * Generating and storing units in the power flow: their powers, the functions of their inverters, machines that hold a
 * voltage.
 */
import type { CompiledFeeder, Feeder } from '../model/index.js';
import type { TerminalPower } from './device/inverter-limit.js';
import { HeldVoltages, type Holder } from './held-voltage.js';
import type { ShareInjection } from './injection.js';
import { InverterFunction } from './inverter-control.js';
import type { PowerFlowStatus } from './power-flow.js';
import { type UnitOutput, UnitState } from './unit-state.js';

/** How the rounds of the inverters' functions ended. */
export interface InverterOutcome {
  readonly status: PowerFlowStatus;
  readonly rounds: number;
  /** Names of the functions that still moved. */
  readonly unsettled: readonly string[];
}

/** A PV system with a law of its own: irradiance, efficiency, limits. */
export interface PvLaw {
  /** Its shares, from `first` to before `end`. */
  readonly first: number;
  readonly end: number;
  /** Generation of all its shares at a PV multiplier. */
  readonly powerAt: (multiplier: number) => TerminalPower;
}

/** All units of a compiled feeder. */
export class Generation {
  readonly units = new Map<string, UnitState>();
  private readonly functions: readonly InverterFunction[];
  private readonly held: HeldVoltages;
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
    const holders = feeder.machines
      .filter(({ model }) => model === 3)
      .map((machine) => {
        const [first, end] = compiled.shares.rangeOf.get(machine.id)!;
        const vars = machine.shares.reduce((sum, share) => sum + share.powerVar, 0);
        return { machine, first, end, vars };
      });
    this.held = new HeldVoltages(holders, compiled.shares, (holder) => this.setVars(holder));
  }

  /** Sets the powers of all units whose power does not simply follow from the model's shares. */
  apply(multiplier: number): void {
    this.multiplier = multiplier;
    this.outputs.clear();
    for (const unit of this.units.values()) if (unit.isGoverned) this.set(unit);
    for (const holder of this.held.holders) this.setVars(holder);
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
      const output = unit.outputAt(1);
      powerW.fill(-output.powerW / (end - first), first, end);
      powerVar.fill(-output.powerVar / (end - first), first, end);
    }
    for (const { vars, first, end } of this.held.holders) powerVar.fill(-vars / (end - first), first, end);
  }

  /** The PV systems whose power is not their shares' times the multiplier, as they are now. */
  pvLaws(): PvLaw[] {
    return [...this.units.values()].flatMap((unit) => {
      if (unit.der.kind !== 'pv' || !unit.isGoverned) return [];
      const [first, end] = this.compiled.shares.rangeOf.get(unit.id)!;
      return [{ first, end, powerAt: unit.powerLaw() }];
    });
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
    return this.held.hold(voltage, settle);
  }

  /** The machines that hold their voltage at the last solve and stand at no limit. */
  get freeHolders(): readonly Holder[] {
    return this.held.free;
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
