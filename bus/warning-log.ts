import { BusError } from './bus-error.js';

/** Told for every kind of warning: its first text, and later how many there were. */
export type TellWarning = (text: string, kind: string, count: number) => void;

/** Kinds that are kept apart; what comes beyond is counted together. */
const MOST_KINDS = 200;
const OTHERS = 'others';

interface Entry {
  readonly first: string;
  count: number;
}

/** Tells the first warning of each kind and counts the others: whoever floods a topic must not flood a log. */
export class WarningLog {
  private readonly tell: TellWarning;
  private readonly entries = new Map<string, Entry>();

  constructor(tell: TellWarning) {
    this.tell = tell;
  }

  /**
   * Takes a warning.
   * @param kind - what makes it the same as another one; {@link kindOfText} when absent
   * @param count - how many it stands for
   */
  add(text: string, kind: string = kindOfText(text), count = 1): void {
    const known = this.entries.get(kind);
    if (known !== undefined) known.count += count;
    else if (this.entries.size < MOST_KINDS) {
      this.entries.set(kind, { first: text, count });
      this.tell(text, kind, 1);
    } else {
      const others = this.entries.get(OTHERS) ?? { first: 'Warnings of further kinds are not told.', count: 0 };
      if (others.count === 0) this.tell(others.first, OTHERS, 1);
      others.count += count;
      this.entries.set(OTHERS, others);
    }
  }

  /** Tells how many there were of each kind that occurred more than once. */
  tellCounts(): void {
    for (const [kind, { first, count }] of this.entries) if (count > 1) this.tell(first, kind, count);
  }

  /** One line for each kind, with its number when there were more. */
  lines(): readonly string[] {
    return [...this.entries.values()].map(({ first, count }) => (count > 1 ? countedWarning(first, count) : first));
  }
}

/** A warning with the number of its kind. */
export function countedWarning(first: string, count: number): string {
  return `${first} (${count} of this kind)`;
}

/** The kind of a warning that is an error: code, destination and message where it has them, else that of its text. */
export function kindOfWarning(error: Error): string {
  if (!(error instanceof BusError)) return kindOfText(error.message);
  const { destination, message } = error.details;
  return destination === undefined ? kindOfText(error.message) : [error.code, destination, message ?? ''].join(' ');
}

/** A text without the words that differ from one of its kind to the next: numbers, ids, names with a digit, quotations. */
export function kindOfText(text: string): string {
  return text.replace(/"[^"]*"/g, '#').replace(/\S*\d\S*/g, '#');
}
