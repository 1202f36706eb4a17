/** What a control has announced: which one, what, when, and by how much. Plain data, so that a time series can carry it. */
export interface PendingAction {
  readonly controlId: string;
  readonly kind: 'tap' | 'reverse' | 'section';
  /** When it is due, s on the clock of the time series; in a snapshot the delay. */
  readonly dueS: number;
  /** Sections; 0 for a tap, whose steps its control keeps in mind. */
  readonly amount: number;
  /** True for the one announcement that its control can take back (see {@link ControlQueue.takeBack}). */
  readonly isRevocable?: boolean;
}

/** The state of all controls as plain data. */
export interface ControlSnapshot {
  readonly pending: readonly PendingAction[];
  /** Memory of each control by its id: numbers by name. */
  readonly memory: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * Announced control actions in the order in which they are due, of those due together the last one first, as OpenDSS' control
 * queue: in static mode the nearest act and time stands still; in time mode those act whose time has come. Several actions
 * of one control may be pending.
 */
export class ControlQueue {
  private actions: PendingAction[] = [];

  get pending(): readonly PendingAction[] {
    return this.actions;
  }

  /** The first action of a kind of a control. */
  find(controlId: string, kind: PendingAction['kind']): PendingAction | undefined {
    for (const action of this.actions) if (action.controlId === controlId && action.kind === kind) return action;
    return undefined;
  }

  /** Announces an action. One that can be taken back stands in the place of any before it, which then cannot. */
  push(action: PendingAction): void {
    if (action.isRevocable) {
      this.actions = this.actions.map((other) =>
        other.controlId === action.controlId && other.isRevocable ? { ...other, isRevocable: false } : other,
      );
    }
    const at = this.actions.findIndex(({ dueS }) => action.dueS <= dueS);
    this.actions.splice(at < 0 ? this.actions.length : at, 0, action);
  }

  /** Changes the amount of what a control has announced; it keeps its place in time. */
  amend(controlId: string, kind: PendingAction['kind'], amount: number): void {
    this.actions = this.actions.map((a) => (a.controlId === controlId && a.kind === kind ? { ...a, amount } : a));
  }

  /** Takes out the action that its control can take back, if it is still waiting. */
  takeBack(controlId: string): void {
    this.actions = this.actions.filter((a) => a.controlId !== controlId || !a.isRevocable);
  }

  remove(controlId: string, kind?: PendingAction['kind']): void {
    this.actions = this.actions.filter((a) => a.controlId !== controlId || (kind !== undefined && a.kind !== kind));
  }

  /** The time up to which actions are carried out at once: the clock in time mode, the nearest in static mode. */
  horizon(isTimed: boolean, nowS: number): number {
    return isTimed ? nowS : (this.actions[0]?.dueS ?? Number.NEGATIVE_INFINITY);
  }

  /** The actions that are due at a time, earliest first. */
  due(untilS: number): readonly PendingAction[] {
    return this.actions.filter(({ dueS }) => dueS <= untilS);
  }

  /** Takes out the first action that is due at a time. */
  take(untilS: number): PendingAction | undefined {
    return this.actions[0] !== undefined && this.actions[0].dueS <= untilS ? this.actions.shift() : undefined;
  }

  clear(): void {
    this.actions = [];
  }

  restore(pending: readonly PendingAction[]): void {
    this.actions = pending.map((action) => ({ ...action }));
  }
}
