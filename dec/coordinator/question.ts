import type { CoordinationMessage } from '../../bus/index.js';
import { cancelled } from './cancelled.js';

/** What a question is made of. */
export interface QuestionOptions {
  readonly interval: number;
  readonly round: number;
  /** Agents to wait for. */
  readonly open: Iterable<string>;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Says it to the hosts. Said again when an answer fails to come: what a lost connection swallowed is not sent again by itself. */
  say(isRepeated: boolean): void;
  accept(message: CoordinationMessage): void;
  /** Told of those who let it pass. */
  onLate(agentIds: ReadonlySet<string>): void;
}

/**
 * First pause after which a question is said again, ms, and its share of a short deadline; each further one is a quarter
 * longer, so that one that takes a deadline is said six times. Hosts give the same answer again.
 */
const REPEAT_MS = 1000;
const REPEAT_SHARE = 0.1;
const REPEAT_GROWTH = 1.25;

/**
 * One question while its answers come. It ends when nobody is waited for any more or when its time is over; its time stands
 * still while the connection to the broker is lost, and begins anew when that is there again.
 */
export class Question {
  readonly interval: number;
  readonly round: number;
  readonly open: Set<string>;
  private readonly options: QuestionOptions;
  private deadline: NodeJS.Timeout | undefined;
  private repetition: NodeJS.Timeout | undefined;
  private finish: (() => void) | undefined;

  constructor(options: QuestionOptions) {
    this.options = options;
    this.interval = options.interval;
    this.round = options.round;
    this.open = new Set(options.open);
  }

  /**
   * Asks and waits for the end.
   * @throws DecError `CANCELLED` when the signal comes first
   */
  async ask(isInterrupted: boolean): Promise<void> {
    const { signal, say } = this.options;
    try {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(cancelled());
        signal?.addEventListener('abort', abort, { once: true });
        this.finish = () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        if (!isInterrupted) this.run();
        say(false);
        this.settle();
      });
    } finally {
      this.suspend();
      this.finish = undefined;
    }
  }

  accept(message: CoordinationMessage): void {
    this.options.accept(message);
  }

  /** Ends it when nobody is waited for. */
  settle(): void {
    if (this.open.size === 0) this.finish?.();
  }

  /** The connection is lost: no answer can come. */
  suspend(): void {
    clearTimeout(this.deadline);
    clearTimeout(this.repetition);
  }

  /** The connection is there again. */
  proceed(): void {
    if (this.finish === undefined) return;
    this.suspend();
    this.run();
    this.options.say(true);
  }

  private run(): void {
    this.deadline = setTimeout(() => {
      this.options.onLate(this.open);
      this.finish?.();
    }, this.options.deadlineMs);
    this.repeatAfter(Math.min(REPEAT_MS, REPEAT_SHARE * this.options.deadlineMs));
  }

  private repeatAfter(pauseMs: number): void {
    this.repetition = setTimeout(() => {
      this.options.say(true);
      this.repeatAfter(REPEAT_GROWTH * pauseMs);
    }, pauseMs);
  }
}
