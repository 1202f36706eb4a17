import type { FlowDocument } from '../index.js';
import { flowDocument } from './request.js';

/** Branches whose flows are kept. */
const KEPT_BRANCHES = 1_000_000;

/** Reads the flows of a run's intervals: one question at a time, the latest wish next, what has been read is kept. */
export class FlowReader {
  private readonly run: string;
  private readonly tell: (flow: FlowDocument | undefined) => void;
  private readonly kept = new Map<number, FlowDocument>();
  private wished: number | undefined;
  private isAsking = false;

  /** @param tell - takes the flows of the interval that is wished for; undefined where they are not known */
  constructor(run: string, tell: (flow: FlowDocument | undefined) => void) {
    this.run = run;
    this.tell = tell;
  }

  /** Wishes for the flows of an interval. */
  wish(interval: number): void {
    this.wished = interval;
    const flow = this.kept.get(interval);
    if (flow) this.tell(flow);
    else void this.ask();
  }

  /** Nobody waits any more. */
  end(): void {
    this.wished = undefined;
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    for (let next = this.wished; next !== undefined && !this.kept.has(next); next = this.wished) {
      let flow: FlowDocument | undefined;
      try {
        flow = await flowDocument(this.run, next);
      } catch {
        // The map says that loading is not known.
        if (this.wished === next) this.wished = undefined;
        else continue;
      }
      if (flow) this.keep(next, flow);
      if (this.wished === next || !flow) this.tell(flow);
    }
    this.isAsking = false;
  }

  private keep(interval: number, flow: FlowDocument): void {
    this.kept.set(interval, flow);
    const most = Math.max(2, Math.floor(KEPT_BRANCHES / Math.max(1, flow.branches.length)));
    const [first] = this.kept.keys();
    if (this.kept.size > most && first !== undefined) this.kept.delete(first);
  }
}
