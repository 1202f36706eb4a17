import { asError } from '../../bus/index.js';

/** Everything that was started, ended in reverse order whatever happens. */
export class Closers {
  private readonly list: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];

  /** Takes note of something that was started, by a name for warnings. */
  add(name: string, close: () => Promise<void> | void): void {
    this.list.push({ name, close });
  }

  /** Ends all; what fails to end is told and does not keep the others from it. */
  async closeAll(warn: (text: string) => void): Promise<void> {
    for (const { name, close } of this.list.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        warn(`${name} did not close cleanly: ${asError(error).message}`);
      }
    }
  }
}
