import type { FlowDocument } from '../index.js';
import { flowDocument } from './request.js';

/** Branches whose flows are kept. */
const KEPT_BRANCHES = 1_000_000;

/** Who is told of flows. */
export interface FlowListeners {
  /** The flows of the interval that is wished for; undefined where they are not known. */
  readonly onWished: (flow: FlowDocument | undefined) => void;
  /** Flows of any interval, as they come. */
  readonly onRead: (flow: FlowDocument) => void;
  /** Why the last question had no answer, as a sentence; undefined once one has. */
  readonly onProblem: (sentence: string | undefined) => void;
}

/** Reads the flows of a run's intervals: one question at a time, the latest wish next, what has been read is kept. */
export class FlowReader {
  private readonly kept = new Map<number, FlowDocument>();
  private wished: number | undefined;
  /** Intervals that are read when nothing is wished for. */
  private backlog: number[] = [];
  private isAsking = false;

  constructor(
    private readonly run: string,
    private readonly listeners: FlowListeners,
  ) {}

  /** Wishes for the flows of an interval. */
  wish(interval: number): void {
    this.wished = interval;
    const flow = this.kept.get(interval);
    if (flow) this.listeners.onWished(flow);
    else void this.ask();
  }

  /** Wishes for the flows of all these, one after the other, in place of those that were wished for so before. */
  wishAll(intervals: readonly number[]): void {
    this.backlog = [...intervals];
    void this.ask();
  }

  /** Nobody waits any more. */
  end(): void {
    this.wished = undefined;
    this.backlog = [];
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    for (let next = this.next(); next !== undefined; next = this.next()) {
      let flow: FlowDocument | undefined;
      try {
        flow = await flowDocument(this.run, next);
        this.listeners.onProblem(undefined);
      } catch (error) {
        // The line of a plot has a gap.
        this.listeners.onProblem(error instanceof Error ? error.message : String(error));
      }
      if (flow) {
        this.keep(next, flow);
        this.listeners.onRead(flow);
      }
      if (this.wished !== next) continue;
      if (!flow) this.wished = undefined;
      this.listeners.onWished(flow);
    }
    this.isAsking = false;
  }

  /** The interval to ask for; what is kept is told at once. */
  private next(): number | undefined {
    if (this.wished !== undefined && !this.kept.has(this.wished)) return this.wished;
    for (let one = this.backlog.shift(); one !== undefined; one = this.backlog.shift()) {
      const kept = this.kept.get(one);
      if (kept === undefined) return one;
      this.listeners.onRead(kept);
    }
    return undefined;
  }

  private keep(interval: number, flow: FlowDocument): void {
    this.kept.set(interval, flow);
    const most = Math.max(2, Math.floor(KEPT_BRANCHES / Math.max(1, flow.branches.length)));
    const [first] = this.kept.keys();
    if (this.kept.size > most && first !== undefined) this.kept.delete(first);
  }
}
