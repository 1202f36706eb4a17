import { CimObject } from './cim-object.js';
import { KeyList } from './key-list.js';
import type { PropertyStore } from './property-store.js';

/** An object whose end has not been met; one for each depth, used again. */
export class OpenObject {
  subject = '';
  id = 0;
  className = '';
  isTyped = true;
  line = 0;
  keys = new KeyList();
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];

  /** Adds a property as {@link PropertyStore.add} takes it. */
  add(key: number, start: number, length: number): void {
    this.#starts[this.keys.length] = start;
    this.#lengths[this.keys.length] = length;
    this.keys = this.keys.with(key);
  }

  read(store: PropertyStore): CimObject {
    const { subject, id, className, line, keys } = this;
    const first = store.size;
    for (let i = 0; i < keys.length; i++) store.add(this.#starts[i]!, this.#lengths[i]!);
    return new CimObject(store, id, subject, className, line, keys, first);
  }
}
