/** What a control has announced: which one, what, when, and by how much. Plain data, so that a time series can carry it. */
export interface PendingAction {
  readonly controlId: string;
  readonly kind: 'tap' | 'reverse' | 'section';
  /** When it is due, s on the clock of the time series; in a snapshot the delay. */
  readonly dueS: number;
  /** Steps or sections, where they are decided when announced. */
  readonly amount: number;
}

/** The state of all controls as plain data. */
export interface ControlSnapshot {
  readonly pending: readonly PendingAction[];
  /** Memory of each control by its id: numbers by name. */
  readonly memory: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * Announced control actions in the order in which they are due, as OpenDSS' control queue: in static mode the nearest act
 * and time stands still; in time mode those act whose time has come. At most one action of a kind is pending for a control.
 */
export class ControlQueue {
  private actions: PendingAction[] = [];

  get pending(): readonly PendingAction[] {
    return this.actions;
  }

  find(controlId: string, kind: PendingAction['kind']): PendingAction | undefined {
    return this.actions.find((action) => action.controlId === controlId && action.kind === kind);
  }

  /** Announces an action; one of the same kind of the same control is replaced and keeps its place in time. */
  push(action: PendingAction): void {
    const at = this.actions.findIndex((a) => a.controlId === action.controlId && a.kind === action.kind);
    if (at >= 0) this.actions[at] = { ...action, dueS: this.actions[at]!.dueS };
    else this.actions.push(action);
  }

  remove(controlId: string, kind?: PendingAction['kind']): void {
    this.actions = this.actions.filter((a) => a.controlId !== controlId || (kind !== undefined && a.kind !== kind));
  }

  /** Takes out the actions that are due first, all of the same time. */
  takeNearest(): PendingAction[] {
    let soonest = Number.POSITIVE_INFINITY;
    for (const { dueS } of this.actions) soonest = Math.min(soonest, dueS);
    return this.takeDue(soonest);
  }

  /** Takes out the actions that are due at a time, earliest first. */
  takeDue(nowS: number): PendingAction[] {
    const due = this.actions.filter(({ dueS }) => dueS <= nowS);
    this.actions = this.actions.filter(({ dueS }) => dueS > nowS);
    return due.sort((a, b) => a.dueS - b.dueS);
  }

  clear(): void {
    this.actions = [];
  }

  restore(pending: readonly PendingAction[]): void {
    this.actions = pending.map((action) => ({ ...action }));
  }
}
