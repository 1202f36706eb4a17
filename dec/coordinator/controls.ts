import type { RunControl, RunControlKind, RunControlReply, SimulationCommand } from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { FAIRNESS_MODES, type FairnessRuleMode, fairnessRule, nearestMode, starMode } from '../../grid/optim/index.js';
import { cancelled } from './cancelled.js';
import type { ControlRecord, RunSettings } from './run-result.js';
import { withAreaRule } from './star.js';

/** The run that controls act on. */
export interface ControlledRun {
  readonly feeder: Feeder;
  readonly settings: RunSettings;
  readonly agentIds: readonly string[];
  /** The interval that comes next, or is being coordinated, and the time of the last output, epoch seconds. */
  readonly position: { readonly interval: number; readonly timeS: number };
  /** A platform that makes loads and sun by its own model. */
  readonly isReal: boolean;
  /** Why this run takes no controls; undefined when it does. */
  readonly refusal: string | undefined;
  /** Goes on with other settings: agents and coordinator are made anew. */
  retune(settings: RunSettings): Promise<void>;
  /** Sends a command to the simulation. */
  command(command: SimulationCommand): void;
  setSwitch(mrid: string, isOpen: boolean): Promise<void>;
  stop(reason: string): void;
}

/** What a run was asked by the time its coordinator was killed. */
export interface ControlsLeft {
  /** What was made of each, in order. */
  readonly records: readonly ControlRecord[];
  /** Accepted, and not yet done, in order. */
  readonly waiting: readonly RunControl[];
}

/** Settings of {@link RunControls}. */
export interface ControlOptions {
  readonly run: ControlledRun;
  /** Waits before the first interval. */
  readonly isPaused?: boolean;
  /** Least milliseconds from one interval to the next, so that people can follow. */
  readonly paceMs?: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly signal: AbortSignal;
  /** Told of every control that waits for the next interval, of what was made of each, and when something has changed that people see. */
  readonly onWaiting?: (control: RunControl) => void;
  readonly onRecord: (record: ControlRecord) => void;
  readonly onChange: () => void;
}

const KINDS: readonly RunControlKind[] = [
  ...(['pause', 'resume', 'step', 'stop'] as const),
  ...(['fairness', 'limits', 'multipliers', 'switch', 'agent'] as const),
];
/** Kinds that need agents or the model of the feeder: a run that plans ahead in one hand takes the others only. */
const OF_AGENTS: ReadonlySet<RunControlKind> = new Set(['fairness', 'limits', 'multipliers', 'switch', 'agent']);
/** Kinds that make areas anew. */
const OF_AREAS: ReadonlySet<RunControlKind> = new Set(['fairness', 'limits', 'multipliers']);
/** Controls that may wait: whoever sends more before the next interval does not mean them. */
const WAITING_MAX = 100;

/**
 * What people ask of a run while it goes on. A control is judged when it comes, by all that was accepted before it, and carried
 * out between two intervals; pause, resume and stop act at once. While the run is paused the simulation stands still.
 */
export class RunControls {
  /** Every control that came, in order. */
  readonly records: ControlRecord[] = [];
  /** Agents that are asked nothing. */
  readonly dropped = new Set<string>();
  /** Switches that were opened or closed, by name. */
  readonly switched = new Map<string, boolean>();
  private readonly waiting: RunControl[] = [];
  /** Settings, switches and agents as they will be when all that waits is done. */
  private wanted: RunSettings;
  private readonly wantedSwitches = new Map<string, boolean>();
  private readonly wantedDropped = new Set<string>();
  private isHeld: boolean;
  /** Whether a simulation in real time was told to stand still. */
  private isStill = false;
  /** The interval up to which a step goes. */
  private stepTo = 0;
  private lastMs = Number.NEGATIVE_INFINITY;
  private wake: (() => void) | undefined;

  constructor(private readonly options: ControlOptions) {
    this.isHeld = options.isPaused ?? false;
    this.wanted = options.run.settings;
  }

  /** Whether nothing is coordinated at present. */
  get isPaused(): boolean {
    return this.isHeld && this.stepTo <= this.options.run.position.interval;
  }

  /** Kinds of controls that this run takes. */
  get kinds(): readonly RunControlKind[] {
    const { run } = this.options;
    if (run.refusal !== undefined) return [];
    return KINDS.filter(
      (kind) =>
        !(run.settings.horizon !== undefined && OF_AGENTS.has(kind)) &&
        !(run.settings.areas !== undefined && OF_AREAS.has(kind)) &&
        !(run.isReal && kind === 'multipliers'),
    );
  }

  /** Switches that are open now, as far as settings and controls say. */
  get openSwitches(): readonly string[] {
    return this.options.run.feeder.switches.filter((device) => isOpen(device, this.switched)).map(({ name }) => name);
  }

  /** Judges a control; what is accepted is done at once or before the next interval. */
  answer(control: RunControl): RunControlReply {
    const { run } = this.options;
    const refusal = run.refusal ?? this.refusal(control);
    const text = controlText(control);
    if (refusal !== undefined) {
      this.record(control, `Refused: ${text}. ${refusal}`, false);
      return { isAccepted: false, reason: refusal };
    }
    switch (control.kind) {
      case 'pause':
        this.isHeld = true;
        this.stepTo = 0;
        this.record(control, 'Paused.', true);
        break;
      case 'resume':
        this.isHeld = false;
        this.record(control, 'Goes on.', true);
        break;
      case 'step':
        this.stepTo = run.position.interval + 1;
        this.record(control, 'Goes on for one interval.', true);
        break;
      case 'stop':
        this.record(control, 'Stopped.', true);
        run.stop(control.by === undefined ? 'The run was stopped.' : `The run was stopped by ${control.by}.`);
        break;
      default:
        this.waiting.push(control);
        this.options.onWaiting?.(control);
    }
    this.steer();
    this.wake?.();
    this.options.onChange();
    return { isAccepted: true, reason: isDoneAtOnce(control) ? `${text}.` : `${text}, before the next interval.` };
  }

  /**
   * Does what waits, and waits while the run is paused, or for its pace. Call it before an interval is coordinated and before
   * the simulation goes on.
   * @param isDue - whether an interval comes next
   * @returns whether the simulation was changed: the interval has to work on an output that knows of it, the next one
   */
  async turn(isDue: boolean): Promise<boolean> {
    const { signal, clock, paceMs = 0 } = this.options;
    let isChanged = false;
    for (;;) {
      if (signal.aborted) throw cancelled();
      this.steer();
      if (await this.carryOut()) isChanged = true;
      const paceLeftMs = isDue ? this.lastMs + paceMs - clock() : 0;
      if (!this.isPaused && paceLeftMs <= 0 && this.waiting.length === 0) break;
      await this.sleep(this.isPaused ? undefined : Math.max(0, paceLeftMs));
    }
    if (isDue && !isChanged) this.lastMs = clock();
    return isChanged;
  }

  /**
   * Goes on from what a predecessor was asked: what it had done counts as done, a pause lasts, and what waited is done before the
   * next interval.
   * @returns the settings that an interval worked with; the same object where they are the same
   */
  async inherit({ records, waiting }: ControlsLeft): Promise<(interval: number) => RunSettings> {
    const { run, onChange } = this.options;
    const steps = [{ from: Number.NEGATIVE_INFINITY, settings: run.settings }];
    for (const { interval, isAccepted, control } of records) {
      if (!isAccepted) continue;
      const before = steps.at(-1)!.settings;
      const settings = withControl(before, control);
      if (settings !== before) steps.push({ from: interval, settings });
      if (control.kind === 'pause') this.isHeld = true;
      else if (control.kind === 'resume') this.isHeld = false;
      else note(run.feeder, control, this.switched, this.dropped);
    }
    this.records.unshift(...records);
    const { settings } = steps.at(-1)!;
    if (settings !== run.settings) await run.retune(settings);
    this.waiting.unshift(...waiting);
    this.wanted = this.waiting.reduce(withControl, settings);
    for (const [name, isOpen] of this.switched) this.wantedSwitches.set(name, isOpen);
    for (const agentId of this.dropped) this.wantedDropped.add(agentId);
    for (const control of this.waiting) note(run.feeder, control, this.wantedSwitches, this.wantedDropped);
    onChange();
    return (interval) => steps.findLast(({ from }) => from <= interval)!.settings;
  }

  /** Tells another simulation, which begins with the switches of the settings, of those that were opened or closed since. */
  async switchAgain(): Promise<void> {
    const { run } = this.options;
    for (const [name, isOpen] of this.switched) {
      const device = switchNamed(run.feeder, name);
      if (device !== undefined) await run.setSwitch(device.mrid, isOpen);
    }
  }

  /** What was asked and not yet done, in order. */
  get pending(): readonly RunControl[] {
    return this.waiting;
  }

  /** The run is over: what still waited is not done. */
  end(): void {
    for (const control of this.waiting.splice(0)) {
      this.record(control, `${controlText(control)}: not done, the run ended before.`, false);
    }
  }

  /** A simulation in real time goes on by itself: it is stopped and let go with the run. */
  private steer(): void {
    const { run } = this.options;
    if (!run.settings.isRealtime || this.isPaused === this.isStill) return;
    this.isStill = this.isPaused;
    run.command({ command: this.isStill ? 'pause' : 'resume' });
  }

  /** @returns whether the simulation was changed */
  private async carryOut(): Promise<boolean> {
    const { run } = this.options;
    const batch = this.waiting.splice(0);
    if (batch.length === 0) return false;
    let isChanged = false;
    let settings = run.settings;
    for (const control of batch) {
      const before = settings;
      settings = withControl(settings, control);
      if (control.kind === 'switch') {
        const device = switchNamed(run.feeder, control.name);
        if (device === undefined) continue;
        await run.setSwitch(device.mrid, control.isOpen);
        this.switched.set(device.name, control.isOpen);
        isChanged = true;
      } else if (control.kind === 'agent') {
        note(run.feeder, control, this.switched, this.dropped);
      } else if (control.kind === 'multipliers') {
        const { loadMultiplier: load, pvMultiplier: pv } = settings;
        run.command({
          command: 'scale',
          input: {
            ...(load === before.loadMultiplier ? {} : { load_scaling_factor: load }),
            ...(pv === before.pvMultiplier ? {} : { pv_scaling_factor: pv }),
          },
        });
        isChanged = true;
      }
      this.record(control, `${controlText(control)}, from interval ${run.position.interval + 1} on.`, true);
    }
    if (settings !== run.settings) await run.retune(settings);
    this.options.onChange();
    return isChanged;
  }

  /** Why a control cannot be done, by all that was accepted before it; what can be is kept in mind. */
  private refusal(control: RunControl): string | undefined {
    const { run } = this.options;
    if (this.waiting.length >= WAITING_MAX) return `${WAITING_MAX} controls wait for the next interval already.`;
    if (run.settings.horizon !== undefined && OF_AGENTS.has(control.kind)) {
      return 'A run that plans ahead takes pause, resume, step and stop only.';
    }
    if (run.settings.areas !== undefined && OF_AREAS.has(control.kind)) {
      return 'A run with areas keeps its rule, limits and multipliers.';
    }
    switch (control.kind) {
      case 'resume':
        return this.isHeld ? undefined : 'The run is not paused.';
      case 'step':
        return this.isHeld ? undefined : 'Only a paused run can go on by one interval.';
      case 'pause':
        return this.isHeld && this.stepTo <= run.position.interval ? 'The run is paused already.' : undefined;
      case 'fairness':
        if (fairnessModeOf(control.mode) === undefined) {
          return `There is no rule ${control.mode}; there are ${FAIRNESS_MODES.join(', ')}.`;
        }
        break;
      case 'limits':
        if (control.minPu >= control.maxPu) return 'The lower limit is not below the upper one.';
        break;
      case 'multipliers':
        if (control.load === undefined && control.pv === undefined) return 'It names neither loads nor sun.';
        if (run.isReal) return 'This platform makes loads and sun by its own model.';
        break;
      case 'switch': {
        const device = switchNamed(run.feeder, control.name);
        if (device === undefined) {
          const known = run.feeder.switches.map(({ name }) => name).join(', ') || 'none';
          return `The feeder has no switch ${control.name}; it has ${known}.`;
        }
        const problem = control.isOpen ? undefined : loopOf(run.feeder, device.id, this.wantedSwitches);
        if (problem !== undefined) return problem;
        this.wantedSwitches.set(device.name, control.isOpen);
        break;
      }
      case 'agent':
        if (!run.agentIds.includes(control.agentId)) return `The run has no agent ${control.agentId}.`;
        if (control.isDropped === this.wantedDropped.has(control.agentId)) {
          return control.isDropped ? 'That agent is dropped already.' : 'That agent takes part.';
        }
        note(run.feeder, control, this.wantedSwitches, this.wantedDropped);
        break;
    }
    this.wanted = withControl(this.wanted, control);
    return undefined;
  }

  private record(control: RunControl, text: string, isAccepted: boolean): void {
    const { interval, timeS } = this.options.run.position;
    const record: ControlRecord = {
      interval,
      timestamp: Number.isFinite(timeS) ? timeS : null,
      control,
      isAccepted,
      text,
    };
    this.records.push(record);
    this.options.onRecord(record);
  }

  /** Sleeps until a control comes, the signal, or the time is over. */
  private sleep(milliseconds: number | undefined): Promise<void> {
    const { signal } = this.options;
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.wake = undefined;
        resolve();
      };
      const timer = milliseconds === undefined ? undefined : setTimeout(end, milliseconds);
      signal.addEventListener('abort', end, { once: true });
      this.wake = end;
      // What came while the last was done would else wait for the next.
      if (this.waiting.length > 0 || signal.aborted) end();
    });
  }
}

/** Whether a control does not wait for the next interval. */
export function isDoneAtOnce({ kind }: RunControl): boolean {
  return !OF_AGENTS.has(kind);
}

/** Keeps in mind what a control says of a switch or an agent. */
function note(feeder: Feeder, control: RunControl, switches: Map<string, boolean>, dropped: Set<string>): void {
  if (control.kind === 'switch') {
    switches.set(switchNamed(feeder, control.name)?.name ?? control.name, control.isOpen);
  } else if (control.kind === 'agent') {
    if (control.isDropped) dropped.add(control.agentId);
    else dropped.delete(control.agentId);
  }
}

/** A control as a phrase. */
function controlText(control: RunControl): string {
  switch (control.kind) {
    case 'pause':
      return 'The run pauses';
    case 'resume':
      return 'The run goes on';
    case 'step':
      return 'The run goes on for one interval';
    case 'stop':
      return 'The run stops';
    case 'fairness':
      return `Fairness rule ${control.mode}`;
    case 'limits':
      return `Limits ${control.minPu} to ${control.maxPu} pu`;
    case 'multipliers': {
      const parts = [
        ...(control.load === undefined ? [] : [`loads times ${control.load}`]),
        ...(control.pv === undefined ? [] : [`PV times ${control.pv}`]),
      ].join(', ');
      return `${parts.charAt(0).toUpperCase()}${parts.slice(1)}`;
    }
    case 'switch':
      return `Switch ${control.name} ${control.isOpen ? 'opens' : 'closes'}`;
    case 'agent':
      return `Agent ${control.agentId} ${control.isDropped ? 'is dropped' : 'takes part again'}`;
  }
}

function fairnessModeOf(mode: string): FairnessRuleMode | undefined {
  return FAIRNESS_MODES.find((known) => known === mode);
}

/** Settings after a control; the same object where it is about something else, or changes nothing. */
function withControl(settings: RunSettings, control: RunControl): RunSettings {
  switch (control.kind) {
    case 'fairness': {
      const mode = fairnessModeOf(control.mode);
      if (mode === undefined || mode === (settings.rule?.mode ?? settings.fairness)) return settings;
      return withFairness(settings, mode);
    }
    case 'limits': {
      const { minPu, maxPu } = control;
      const isSame = minPu === settings.limits.minPu && maxPu === settings.limits.maxPu;
      return isSame ? settings : { ...settings, limits: { minPu, maxPu } };
    }
    case 'multipliers': {
      const { load = settings.loadMultiplier, pv = settings.pvMultiplier } = control;
      const isSame = load === settings.loadMultiplier && pv === settings.pvMultiplier;
      return isSame ? settings : { ...settings, loadMultiplier: load, pvMultiplier: pv };
    }
    default:
      return settings;
  }
}

/** Another rule with the weights of the one before; what shares a fraction is what that mode has by itself. */
function withFairness(settings: RunSettings, mode: FairnessRuleMode): RunSettings {
  const { rule: old, ...rest } = settings;
  const more = old === undefined ? {} : { weights: old.weights, gamma: old.gamma };
  const rule = fairnessRule({ mode, ...more });
  const isReactive = settings.reactive !== undefined && settings.reactive.mode !== 'none';
  const simple = isReactive ? undefined : starMode(rule);
  return withAreaRule(
    simple === undefined ? { ...rest, fairness: nearestMode(rule), rule } : { ...rest, fairness: simple },
  );
}

function switchNamed(feeder: Feeder, name: string) {
  return feeder.switches.find((device) => device.name.toLowerCase() === name.toLowerCase());
}

function isOpen({ name, isOpen: poles }: Feeder['switches'][number], switched: ReadonlyMap<string, boolean>): boolean {
  return switched.get(name) ?? poles.every(Boolean);
}

/** Why a switch may not be closed: its ends are connected already, and coordination needs a network without loops. */
function loopOf(feeder: Feeder, switchId: string, switched: ReadonlyMap<string, boolean>): string | undefined {
  const device = feeder.switches.find(({ id }) => id === switchId);
  if (device === undefined || !isOpen(device, switched)) return undefined;
  const open = new Set(feeder.switches.filter((one) => isOpen(one, switched)).map(({ id }) => id));
  const root = new Map<string, string>();
  const find = (bus: string): string => {
    let at = bus;
    for (let up = root.get(at); up !== undefined; up = root.get(at)) at = up;
    return at;
  };
  let ends: readonly [string, string] | undefined;
  feeder.graph.forEachEdge((_, { kind, elementId, isOpen: isOpenInModel }, from, to) => {
    if (elementId === switchId) ends = [from, to];
    else if (kind === 'switch' ? open.has(elementId) : isOpenInModel) return;
    else {
      const [a, b] = [find(from), find(to)];
      if (a !== b) root.set(a, b);
    }
  });
  if (ends === undefined || find(ends[0]) !== find(ends[1])) return undefined;
  return `Closing ${device.name} would make a loop, and coordination needs a network without loops.`;
}
