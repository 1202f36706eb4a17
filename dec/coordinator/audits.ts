import type { Feeder } from '../../grid/model/index.js';
import { Audit, type AuditedDevice, completed, priced } from './audit.js';
import { AuditThread } from './audit-thread.js';
import type { IntervalResult, RunSettings } from './run-result.js';

/** Settings of {@link Audits}. */
export interface AuditsOptions {
  readonly feeder: Feeder;
  readonly devices: readonly AuditedDevice[];
  /** Whether the optimum of the whole feeder is found too. */
  readonly hasOptimum: boolean;
  readonly warn: (text: string) => void;
  /** Called when more is known of an interval. */
  readonly onFound: (interval: number) => void;
}

/** The audits of a run: one after the other, where its settings change while it goes on. */
export class Audits {
  private readonly threads: AuditThread[] = [];
  private readonly made = new Map<RunSettings, Audit>();

  constructor(private readonly options: AuditsOptions) {}

  /** The audit under these settings: one for each object of settings. */
  under(settings: RunSettings): Audit {
    const audit = this.made.get(settings) ?? this.make(settings);
    this.made.set(settings, audit);
    return audit;
  }

  private make(settings: RunSettings): Audit {
    const { feeder, devices, hasOptimum, warn, onFound } = this.options;
    // A plan weighs more than the rule of one interval: what it is held against, its least curtailment, it says itself.
    if (!hasOptimum || settings.horizon !== undefined) return new Audit({ feeder, settings, devices });
    const thread = new AuditThread(feeder, settings, warn);
    thread.onFound = onFound;
    this.threads.push(thread);
    return new Audit({ feeder, settings, devices, thread });
  }

  /** Intervals that are still being judged. */
  get waiting(): number {
    return this.threads.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Waits until every interval is judged, or the signal comes. */
  async settle(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.settle(signal)));
  }

  /** An interval with what is known of it by now. */
  completed(result: IntervalResult): IntervalResult {
    if (result.audit === undefined) return result;
    const figures = this.threads.map((thread) => thread.figures.get(result.interval)).find((one) => one !== undefined);
    const least = result.plan?.leastCurtailedW;
    if (least !== undefined && least !== null) return { ...result, audit: priced(result.audit, least) };
    const holdsLimits = result.status === 'converged' || result.status === 'roundLimit';
    return { ...result, audit: completed(result.audit, figures, holdsLimits) };
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}
