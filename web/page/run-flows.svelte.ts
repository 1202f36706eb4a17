import { untrack } from 'svelte';
import type { LiveBranches } from '../../bus/contract/index.js';
import {
  type BranchFlow,
  type BranchSeries,
  branchSeries,
  type FeederMap,
  type FlowDocument,
  measuredBranch,
  type RunDocument,
} from '../index.js';
import { FlowReader } from './flow-reader.js';

/** What a run that goes on has measured: branches in the order of the readings, readings by simulated time. */
export interface MeasuredRun {
  readonly ids: readonly string[];
  readonly readings: ReadonlyMap<number, LiveBranches>;
}

/** Flows of a finished run as they are read: those of the interval that is shown, and those of the branches that are open. */
export class RunFlows {
  /** Of the interval that is wished for. */
  shown = $state.raw<FlowDocument>();
  /** Why the last flows asked for are not there. */
  problem = $state<string>();
  /** By branch that is followed and simulated time. */
  private followed = $state.raw<ReadonlyMap<number, ReadonlyMap<number, BranchFlow | null>>>(new Map());
  private readonly reader: FlowReader;
  private readonly times: ReadonlyMap<number, number>;

  constructor(run: RunDocument) {
    this.times = new Map(
      run.intervals.map(({ interval, timestamp, after }) => [interval, after?.timestamp ?? timestamp]),
    );
    this.reader = new FlowReader(run.id, {
      onWished: (flow) => (this.shown = flow),
      onRead: (flow) => this.note(flow),
      onProblem: (sentence) => (this.problem = sentence),
    });
  }

  /** Wishes for the flows of an interval. */
  show(interval: number): void {
    this.reader.wish(interval);
  }

  /** Reads what these branches carry in every interval. */
  follow(branches: readonly number[]): void {
    this.followed = new Map(branches.map((branch) => [branch, new Map()]));
    // Flows that are known already are told at once: the effect that asks is not to depend on what it changes.
    untrack(() => this.reader.wishAll([...this.times.keys()]));
  }

  /** What is known of a branch that is followed. */
  seriesOf(branch: number): BranchSeries {
    return branchSeries(this.followed.get(branch) ?? new Map());
  }

  end(): void {
    this.reader.end();
  }

  private note({ interval, branches }: FlowDocument): void {
    const time = this.times.get(interval);
    if (time === undefined || this.followed.size === 0) return;
    this.followed = new Map(
      [...this.followed].map(([branch, known]) => [branch, new Map([...known, [time, branches[branch] ?? null]])]),
    );
  }
}

/** What a branch carried in a run that goes on, at every time that is known. */
export function measuredSeries(map: FeederMap, { ids, readings }: MeasuredRun, branch: number): BranchSeries {
  const one = map.branches[branch]!;
  const at = ids.indexOf(one.id);
  return branchSeries(new Map([...readings].map(([time, values]) => [time, measuredBranch(one, at, values)])));
}
