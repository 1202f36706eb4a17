import { asError } from '../../bus/index.js';

/** Milliseconds that one thing gets to end. */
const CLOSE_MS = 3000;

/** Everything that was started, ended in reverse order whatever happens. */
export class Closers {
  private readonly deadlineMs: number;
  private readonly list: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];

  /** @param deadlineMs - how long each may take to end; then it is left alone and told. Default 3000 ms */
  constructor(deadlineMs: number = CLOSE_MS) {
    this.deadlineMs = deadlineMs;
  }

  /** Takes note of something that was started, by a name for warnings. */
  add(name: string, close: () => Promise<void> | void): void {
    this.list.push({ name, close });
  }

  /** Ends all; what fails to end is told and does not keep the others from it. */
  async closeAll(warn: (text: string) => void): Promise<void> {
    for (const { name, close } of this.list.splice(0).reverse()) {
      try {
        await this.within(close);
      } catch (error) {
        warn(`${name} did not close cleanly: ${asError(error).message}`);
      }
    }
  }

  private within(close: () => Promise<void> | void): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`it took longer than ${this.deadlineMs / 1000} s`)),
        this.deadlineMs,
      );
      Promise.resolve()
        .then(close)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }
}
