import type { Finding } from '../model/index.js';
import type { CimObject } from './cim-object.js';

/** How many findings of one kind are kept apart before they are folded into one with a count. */
const APART = 3;

/** What makes findings the same kind: everything but the object. */
interface Kind {
  readonly finding: Finding;
  readonly first: Finding[];
  /** Objects already counted: one that is read again is not a second occurrence. */
  readonly objects: Set<CimObject>;
  count: number;
}

/** Collects what a reader has to say; many findings of one kind become one with a count. */
export class FindingList {
  readonly #kinds = new Map<string, Kind>();

  /**
   * Notes something about an object.
   *
   * @param message - a sentence without the object's name, so that findings of one kind read alike
   */
  add(
    severity: Finding['severity'],
    code: string,
    object: CimObject,
    message: string,
    extra: Partial<Pick<Finding, 'attribute' | 'value' | 'allowed'>> = {},
  ): void {
    const key = `${severity}|${code}|${object.className}|${extra.attribute ?? ''}|${message}`;
    let kind = this.#kinds.get(key);
    const name = object.name;
    const finding: Finding = {
      severity,
      code,
      message,
      class: object.className,
      mrid: object.mrid,
      ...(name === '' ? {} : { name }),
      ...extra,
      file: object.file,
      line: object.line,
    };
    if (!kind) {
      kind = { finding, first: [], objects: new Set(), count: 0 };
      this.#kinds.set(key, kind);
    }
    if (kind.objects.has(object)) return;
    kind.objects.add(object);
    kind.count++;
    if (kind.first.length < APART) kind.first.push(finding);
  }

  /** Notes something about several objects at once: one finding with the first of them and their number. */
  addGroup(
    severity: Finding['severity'],
    code: string,
    first: CimObject,
    count: number,
    facts: Pick<Finding, 'message' | 'attribute' | 'value' | 'allowed'>,
  ): void {
    this.note(severity, code, facts.message, {
      ...facts,
      class: first.className,
      mrid: first.mrid,
      ...(first.name === '' ? {} : { name: first.name }),
      file: first.file,
      line: first.line,
      count,
    });
  }

  /** Notes something about the whole input. */
  note(severity: Finding['severity'], code: string, message: string, extra: Partial<Finding> = {}): void {
    const finding: Finding = { severity, code, message, ...extra };
    this.#kinds.set(`${code}|${finding.class ?? ''}|${message}`, {
      finding,
      first: [finding],
      objects: new Set(),
      count: 1,
    });
  }

  /** The findings in the order of their first occurrence. */
  list(): Finding[] {
    return [...this.#kinds.values()].flatMap(({ finding, first, count }) =>
      count <= APART ? first : [{ ...finding, count }],
    );
  }
}
