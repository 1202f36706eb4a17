import { solveQuadraticProgramme } from '../../math/index.js';
import type { CustomerSchedule } from './customer-horizon.js';
import { idleSchedule, needsProgramme, type Plan, planOf, scheduleCost, withSun } from './customer-plan.js';
import type { HorizonProgress } from './feeder-horizon.js';
import type { HorizonCase } from './horizon-case.js';
import { type BatteryPowers, WidenedLimits } from './least-violation.js';
import { ProgrammeBuilder } from './programme-builder.js';
import { stepSun } from './resting-sun.js';
import { scheduleCustomer } from './schedule.js';
import { addStepNetwork } from './schedule-network.js';

/*
 * Schedules of all customers under the feeder's voltage limits, in one programme.
 *
 * Solved: min sum over customers of schedule-programme.ts + fairness * available alpha^2 per step, with every limited
 *         node's v = v_linear + correction inside its limits at every step.
 * Steps: 1. every customer alone (prices only); 2. voltages of every step; 3. rows for the worst limits broken, and the sun
 *        of those steps as variables; 4. one interior-point solve of customers' bands tied by the rows; 2 again until no
 *        limit is broken; 5. where a battery runs both ways, the lesser side is put to rest and 4 is repeated: the rise of
 *        the objective is the gap.
 *        Where the rows pass a number, batteries stay as they are and the sun of each step is decided for all its limits
 *        (resting-sun.ts); the programme with fewer limits bounds what that can cost. Steps that the sun alone cannot hold
 *        (at night there is none) tie batteries beyond that number: their networks come into the programme with flows and
 *        voltages as unknowns (schedule-network.ts), all limits of the step at once.
 * Cost: bands cost O(steps) each, the rows a dense block of their number, a network O(nodes) a step; sun away from broken
 *        limits is no variable.
 * Fails: the limits of steps that cannot hold are widened to the least violation (least-violation.ts), and the status says
 *        so; where schedules keep not even these, an exact penalty softens them.
 */

/** Schedules under the present corrections. */
export interface HorizonOptimum {
  readonly status: 'optimal' | 'limitsViolated' | 'failed';
  readonly schedules: readonly CustomerSchedule[];
  readonly objective: number;
  /** How far above the least the objective may be; null where limits cannot hold and the least violation comes first. */
  readonly gap: number | null;
  readonly kktResidual: number;
  readonly rows: number;
  readonly variables: number;
  readonly programmes: number;
}

/** A limit taken into a programme. */
interface LimitRow {
  readonly step: number;
  readonly node: number;
}

/** Limits taken so far, each once. */
class LimitList {
  readonly rows: LimitRow[] = [];
  private readonly keys = new Set<string>();

  constructor(rows: readonly LimitRow[] = []) {
    for (const row of rows) this.add(row);
  }

  add(row: LimitRow): boolean {
    const key = `${row.step} ${row.node}`;
    if (this.keys.has(key)) return false;
    this.keys.add(key);
    this.rows.push(row);
    return true;
  }
}

/** Settings of the optimiser. */
export interface HorizonOptimiserSettings {
  readonly fairnessPerKwh: number;
  /** Rows that tie customers over the whole horizon at most. */
  readonly maxCouplingRows: number;
}

/** Rows taken at one step in one pass; passes at most. */
const ROWS_PER_STEP = 6;
const MAX_PASSES = 30;
/** Nodes of all networks in a programme at most; limits of further steps are left to the sun. */
const NETWORK_NODES_MAX = 100_000;
/** A limit missed by less is kept, pu squared. */
const KEPT_SQUARED_PU = 2e-7;
/** Unit of rows: a kW moves a voltage by about this, pu squared. */
const UNIT_SQUARED_PU = 1e-3;
/** Money per unit of violation where limits cannot hold: far above what a kWh is worth. */
const VIOLATION_COST = 1e4;
const TOLERANCE = 1e-8;

type Report = (progress: Omit<HorizonProgress, 'correction'>) => void;

/** Finds schedules; limits found in earlier calls are kept, so that a moved correction starts with them. */
export class HorizonOptimiser {
  /** Every customer by its own prices. */
  readonly alone: readonly CustomerSchedule[];
  /** Customers whose own limits cannot hold whatever the network. */
  readonly impossible: readonly string[];
  /** How far the customers by themselves may be above their least, money, and the residual of their programmes. */
  private aloneGap = 0;
  private aloneResidual = 0;
  private coupling = new LimitList();
  /** Steps whose sun is decided anew once batteries are. */
  private readonly sunSteps = new Set<number>();
  /** Steps that the sun alone cannot hold: none shines, or with batteries as they were some limit stayed broken. */
  private readonly heldByBatteries = new Set<number>();
  /** Steps whose networks are in the programme, all limits at once, in the place of rows. */
  private readonly networkSteps = new Set<number>();
  /** Every step that a limit binds at has its network in the programme. */
  private isWide = false;
  /** Batteries decided, once the limits are too many to tie them all. */
  private frozen: Solved | undefined;
  /** Objective of a programme with fewer limits than there are: no schedule costs less. */
  private bound: number | undefined;
  private frozenGap: number | undefined;
  /** Sides of batteries put to rest, by point, battery, step and side. */
  private readonly atRest = new Set<string>();
  private solves = 0;
  private readonly limits: WidenedLimits;
  /** Which batteries limits are widened for: the place in {@link programme}'s list. */
  private basis = 0;

  constructor(
    private readonly horizon: HorizonCase,
    private readonly settings: HorizonOptimiserSettings,
  ) {
    this.limits = new WidenedLimits(horizon);
    for (let t = 0; t < horizon.steps; t++) {
      if (horizon.points.every(({ customer }) => customer.availableW[t]! <= 0)) this.heldByBatteries.add(t);
    }
    const impossible: string[] = [];
    this.alone = horizon.points.map(({ customer }) => {
      if (!needsProgramme(customer)) return idleSchedule(customer);
      const { schedule, gap, kktResidual } = scheduleCustomer(customer);
      if (!schedule) {
        impossible.push(customer.id);
        return idleSchedule(customer);
      }
      this.aloneGap += gap;
      this.aloneResidual = Math.max(this.aloneResidual, kktResidual);
      return schedule;
    });
    this.impossible = impossible;
  }

  /**
   * From here on batteries are decided anew under all limits, where they rest on a few of them; then they stay again.
   *
   * @returns false where they rest on all of them, or the networks are too large
   */
  decideAgain(): boolean {
    const { horizon } = this;
    const steps = Math.max(this.sunSteps.size, this.networkSteps.size);
    if (this.isWide || this.frozen === undefined || steps * horizon.linear.network.nodes.length > NETWORK_NODES_MAX)
      return false;
    this.isWide = true;
    this.frozen = undefined;
    this.giveLimits();
    return true;
  }

  /** Optimum under the corrections of the case. */
  solve(report: Report): HorizonOptimum {
    this.solves = 0;
    this.giveLimits();
    for (;;) {
      const isFresh = this.frozen === undefined;
      if (!this.frozen) {
        const whole = this.solveWhole(report);
        if (!whole.solved || !(whole.isCut || this.isWide)) return this.answer(whole.solved);
        this.frozen = whole.solved;
        this.frozenGap = undefined;
        for (const { step } of this.coupling.rows) this.sunSteps.add(step);
        if (this.isWide && !whole.isCut) {
          const answer = this.answer(whole.solved);
          this.frozenGap = answer.gap ?? undefined;
          this.giveLimits();
          return answer;
        }
        this.giveLimits();
      }
      const solved = this.solveFrozen(this.frozen, report);
      // Under the same corrections as the bound; later ones move both.
      this.frozenGap ??= Math.max(0, solved.objective - (this.bound ?? solved.objective));
      const unheld = this.unheldSteps(solved.schedules);
      const isNew = unheld.some((step) => !this.heldByBatteries.has(step));
      // Batteries that are in force already hold what they can; those of an earlier correction have not seen this one.
      if (unheld.length === 0 || (isFresh && !isNew)) return this.answer(solved);
      for (const step of unheld) this.heldByBatteries.add(step);
      this.frozen = undefined;
      this.giveLimits();
    }
  }

  /** Steps that break limits as they are given, not as they are widened. */
  private unheldSteps(schedules: readonly CustomerSchedule[]): number[] {
    const { horizon } = this;
    const steps = Array.from({ length: horizon.steps }, (_, t) => t);
    return steps.filter((t) => {
      const v = horizon.voltages(t, this.generated(schedules, t));
      const { lower, upper } = horizon.limitsAt(t);
      return v.some((value, i) => Math.max(value - upper[i]!, lower[i]! - value) > 2 * KEPT_SQUARED_PU);
    });
  }

  /** Limits as given, none widened yet. */
  private giveLimits(): void {
    this.limits.reset();
    this.basis = 0;
  }

  /** Power generated by pattern at a step. */
  generated(schedules: readonly CustomerSchedule[], step: number): Float64Array {
    const generatedW = new Float64Array(this.horizon.patterns.length);
    this.horizon.points.forEach((point, k) => {
      const schedule = schedules[k]!;
      point.pvPatterns.forEach((pattern, s) => {
        generatedW[pattern] = schedule.pvW[step]! * this.horizon.pvShare(point, s, step);
      });
      point.batteryPatterns.forEach((pattern, b) => {
        generatedW[pattern] = schedule.batteries[b]!.powerW[step]!;
      });
    });
    return generatedW;
  }

  private answer(solved: Solved | undefined): HorizonOptimum {
    const rows = this.limitRows;
    if (!solved) {
      // No limit binds: what customers curtail for a price takes nothing from anybody.
      const objective = this.horizon.points.reduce(
        (sum, { customer }, k) => sum + scheduleCost(customer, this.alone[k]!, 0),
        0,
      );
      const [gap, kktResidual] = [this.aloneGap, this.aloneResidual];
      return {
        status: 'optimal',
        schedules: this.alone,
        objective,
        gap,
        kktResidual,
        rows,
        variables: 0,
        programmes: 0,
      };
    }
    const cannotHold = solved.isSoft || this.limits.isAny;
    return {
      status: !solved.isSolved ? 'failed' : cannotHold ? 'limitsViolated' : 'optimal',
      schedules: solved.schedules,
      objective: solved.objective,
      gap: cannotHold ? null : (this.frozenGap ?? Math.max(0, solved.objective - (this.bound ?? solved.objective))),
      kktResidual: solved.kktResidual,
      rows,
      variables: solved.variables,
      programmes: this.solves,
    };
  }

  /** Batteries and sun over the whole horizon; cut off when the rows are too many. */
  private solveWhole(report: Report): { readonly solved: Solved | undefined; readonly isCut: boolean } {
    this.bound = undefined;
    this.atRest.clear();
    let solved = this.coupling.rows.length > 0 ? this.programme(this.coupling) : undefined;
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      if (solved && !solved.isSolved) break;
      const broken = this.broken(solved?.schedules ?? this.alone, solved?.isSoft ?? false);
      report({ rows: this.coupling.rows.length, violationPu: broken.violationPu });
      const running = solved?.running ?? [];
      if (broken.rows.length + broken.networks.length === 0) {
        this.bound ??= solved?.objective;
        if (running.length === 0) return { solved, isCut: broken.isCut };
        for (const side of running) this.atRest.add(side);
      }
      for (const row of broken.rows) this.coupling.add(row);
      for (const step of broken.networks) this.networkSteps.add(step);
      const next = this.programme(this.coupling);
      // With rows beyond the number: what was found before them stands, and the sun of each step is decided for it.
      if (!next.isSolved && solved && broken.isCut) return { solved, isCut: true };
      solved = next;
    }
    return { solved, isCut: solved?.isSolved ?? false };
  }

  /** The sun of every step with batteries as decided: steps are apart, and each is decided under all limits of the network. */
  private solveFrozen(frozen: Solved, report: Report): Solved {
    const { horizon, limits } = this;
    const { fairnessPerKwh } = this.settings;
    const used = frozen.schedules.map(({ pvW }) => pvW.slice());
    let [isSolved, isAnySoft, kktResidual, variables] = [true, false, 0, 0];
    for (let step = 0; step < horizon.steps; step++) {
      if (!this.sunSteps.has(step)) {
        const over = this.violations(step, frozen.schedules).reduce((most, value) => Math.max(most, value), 0);
        if (over <= KEPT_SQUARED_PU) continue;
        this.sunSteps.add(step);
      }
      const decide = (isSoft: boolean) => {
        this.solves++;
        const [lower, upper] = [limits.lower(step), limits.upper(step)];
        const schedules = frozen.schedules;
        return stepSun(horizon, {
          step,
          frozen: schedules,
          lower,
          upper,
          isSoft,
          fairnessPerKwh,
          tolerance: TOLERANCE,
        });
      };
      let sun = decide(false);
      if (!sun.isSolved && limits.widen([step], powersOf(frozen.schedules))) sun = decide(false);
      const isSoft = !sun.isSolved;
      if (isSoft) sun = decide(true);
      sun.pvW.forEach((watts, k) => {
        used[k]![step] = watts;
      });
      isSolved &&= sun.isSolved;
      isAnySoft ||= isSoft;
      kktResidual = Math.max(kktResidual, sun.kktResidual);
      variables += sun.variables;
      report({ rows: this.limitRows, violationPu: 0 });
    }
    const schedules = horizon.points.map(({ customer }, k) => withSun(customer, frozen.schedules[k]!, used[k]!));
    const objective = horizon.points.reduce(
      (sum, { customer }, k) => sum + scheduleCost(customer, schedules[k]!, fairnessPerKwh),
      0,
    );
    return { isSolved, isSoft: isAnySoft, schedules, running: [], objective, kktResidual, variables };
  }

  /** Limits in programmes: rows over customers, or all limited nodes of the steps that are decided with batteries at rest. */
  private get limitRows(): number {
    const { upperSquaredPu, lowerSquaredPu } = this.horizon;
    const limited = upperSquaredPu.reduce(
      (count, upper, i) => count + (Number.isFinite(upper) || lowerSquaredPu[i]! > 0 ? 1 : 0),
      0,
    );
    return Math.max(this.coupling.rows.length, this.sunSteps.size * limited);
  }

  /** How far nodes stand outside their limits at a step, pu squared; below 0 inside. */
  private violations(step: number, schedules: readonly CustomerSchedule[]): Float64Array {
    const v = this.horizon.voltages(step, this.generated(schedules, step));
    const [lower, upper] = [this.limits.lower(step), this.limits.upper(step)];
    return v.map((value, i) => Math.max(value - upper[i]!, lower[i]! - value));
  }

  /**
   * Limits that schedules break and that are not in the programme yet: rows, and steps whose networks are to come in; `isCut`
   * where some are left to the sun of single steps.
   */
  private broken(schedules: readonly CustomerSchedule[], isSoft: boolean) {
    const { horizon, coupling } = this;
    const { maxCouplingRows } = this.settings;
    const isFull = coupling.rows.length >= maxCouplingRows;
    const rows: LimitRow[] = [];
    const networks: number[] = [];
    let [worst, isCut] = [0, false];
    const known = new LimitList(coupling.rows);
    for (let t = 0; t < horizon.steps; t++) {
      const violation = this.violations(t, schedules);
      for (const value of violation) worst = Math.max(worst, value);
      if (this.networkSteps.has(t) && !isSoft) continue;
      // A soft limit that is in the programme already stays broken; it must not keep others out.
      if (isSoft) for (const { step, node } of coupling.rows) if (step === t) violation[node] = 0;
      const picked = horizon.rows
        .pick(violation, KEPT_SQUARED_PU, ROWS_PER_STEP)
        .map((node) => ({ step: t, node }))
        .filter((row) => known.add(row));
      if (picked.length === 0) continue;
      const networkNodes = (this.networkSteps.size + networks.length + 1) * horizon.linear.network.nodes.length;
      if (!isFull) rows.push(...picked);
      else if (!isSoft && (this.isWide || this.heldByBatteries.has(t)) && networkNodes <= NETWORK_NODES_MAX)
        networks.push(t);
      else isCut = true;
    }
    return { rows, networks, violationPu: worst / 2, isCut: isCut || (networks.length > 0 && !this.isWide) };
  }

  private programme(limits: LimitList): Solved {
    let hard = this.attempt(limits, false);
    if (hard.isSolved) return hard;
    const steps = [...limits.rows.map(({ step }) => step), ...this.networkSteps];
    // Batteries at their ratings at every step are seldom possible; at rest, where ends allow it; as planned alone, always.
    const bases = [undefined, () => 0, powersOf(this.alone)];
    for (; this.basis < bases.length; this.basis++) {
      if (!this.limits.widen(steps, bases[this.basis])) {
        this.limits.reset();
        continue;
      }
      hard = this.attempt(limits, false);
      if (hard.isSolved) return hard;
      this.limits.reset();
    }
    return this.attempt(limits, true);
  }

  private attempt({ rows }: LimitList, isSoft: boolean): Solved {
    const { horizon } = this;
    const { fairnessPerKwh } = this.settings;
    this.solves++;
    const hasRow = new Uint8Array(horizon.steps);
    // Softened limits are rows: what is left where nothing else is solved.
    const networks = isSoft ? new Set<number>() : this.networkSteps;
    for (const { step } of rows) hasRow[step] = 1;
    for (const step of networks) hasRow[step] = 1;
    const builder = new ProgrammeBuilder();
    const plans = horizon.points.map((point, k) =>
      planOf(builder, point, { hasRow, alone: this.alone[k]!, frozen: undefined, fairnessPerKwh }),
    );
    const base = new Map<number, Float64Array>();
    let canHold = true;
    for (const step of networks) {
      const [lower, upper] = [this.limits.lower(step), this.limits.upper(step)];
      canHold = addStepNetwork(builder, horizon, plans, step, { lower, upper }) && canHold;
    }
    for (const { step, node } of rows) {
      if (networks.has(step)) continue;
      if (!base.has(step)) base.set(step, this.fixedVoltages(plans, step));
      const given = base.get(step)![node]!;
      const row = builder.rangeRow(
        (this.limits.lower(step)[node]! - given) / UNIT_SQUARED_PU,
        (this.limits.upper(step)[node]! - given) / UNIT_SQUARED_PU,
      );
      const answer = horizon.rows.row(node);
      plans.forEach((plan) => {
        plan.terms(step, (variable, pattern, share) => {
          // Generation: the row is per watt drawn; variables are in kW.
          builder.entry(row, variable, (-1000 * share * answer[pattern]!) / UNIT_SQUARED_PU);
        });
      });
      if (!isSoft) continue;
      builder.entry(row, builder.variable(0, Infinity, VIOLATION_COST), -1);
      builder.entry(row, builder.variable(0, Infinity, VIOLATION_COST), 1);
    }
    const programme = builder.programme();
    plans.forEach((plan, k) => {
      for (const side of plan.sides(k)) if (this.atRest.has(side.key)) programme.upper[side.variable] = 0;
    });
    const solution = solveQuadraticProgramme(programme, { tolerance: TOLERANCE });
    return {
      isSolved: canHold && (solution.status === 'optimal' || solution.status === 'nearOptimal'),
      isSoft,
      schedules: plans.map((plan) => plan.read(solution)),
      running: plans.flatMap((plan, k) => plan.running(k, solution.x)),
      objective: solution.objective + plans.reduce((sum, plan) => sum + plan.constant, 0),
      kktResidual: solution.kktResidual,
      variables: programme.linear.length,
    };
  }

  /** Voltages of a step with everything that is no variable there. */
  private fixedVoltages(plans: readonly Plan[], step: number): Float64Array {
    const generatedW = new Float64Array(this.horizon.patterns.length);
    for (const plan of plans) plan.fixed(step, generatedW);
    return this.horizon.voltages(step, generatedW);
  }
}

/** Battery powers of schedules. */
function powersOf(schedules: readonly CustomerSchedule[]): BatteryPowers {
  return (point, battery, step) => schedules[point]!.batteries[battery]!.powerW[step]!;
}

interface Solved {
  readonly isSolved: boolean;
  readonly isSoft: boolean;
  readonly schedules: readonly CustomerSchedule[];
  /** Of pairs that run both ways, the lesser sides. */
  readonly running: readonly string[];
  readonly objective: number;
  readonly kktResidual: number;
  readonly variables: number;
}
