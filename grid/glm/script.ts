/** Text of a GridLAB-D model: objects with unique, safe names, and findings for what has no place in it. */
import type { Feeder, Finding } from '../model/index.js';

/** A complex number as GridLAB-D reads it. */
export function complex(re: number, im: number): string {
  const text = (value: number) => String(Number(value.toPrecision(15)));
  return `${text(re)}${im < 0 ? '' : '+'}${text(im)}j`;
}

/** What the writers of the classes share. */
export class GlmScript {
  readonly lines: string[] = [];
  readonly findings: Finding[] = [];
  private readonly taken = new Set<string>();
  private readonly given = new Map<string, string>();
  private readonly configurations = new Map<string, string>();

  constructor(
    readonly feeder: Feeder,
    /** Letters of the phases of a bus; of a split-phase one that of its transformer and S. */
    private readonly phasesOf: ReadonlyMap<string, string>,
  ) {}

  /** A name that no other object has; names count over all classes in GridLAB-D. The same key gets the same name. */
  name(prefix: string, key: string, wanted: string): string {
    const place = `${prefix}\n${key}`;
    const known = this.given.get(place);
    if (known !== undefined) return known;
    const base = `${prefix}_${wanted
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .replace(/[^A-Za-z0-9_]/g, '_')}`;
    let name = base;
    for (let n = 2; this.taken.has(name.toLowerCase()); n++) name = `${base}_${n}`;
    this.taken.add(name.toLowerCase());
    this.given.set(place, name);
    return name;
  }

  bus(id: string): string {
    return this.name('bus', id, this.feeder.busById.get(id)?.name ?? id);
  }

  /** Phases of a bus; empty for one that is not in the model. */
  phases(bus: string): string {
    return this.phasesOf.get(bus) ?? '';
  }

  add(className: string, properties: Readonly<Record<string, string | number | undefined>>): void {
    const inner = Object.entries(properties).flatMap(([name, value]) =>
      value === undefined ? [] : [`  ${name} ${typeof value === 'number' ? Number(value.toPrecision(15)) : value};`],
    );
    this.lines.push(`object ${className} {`, ...inner, '}');
  }

  /** A configuration object; equal ones are written once. @returns its name */
  configuration(className: string, properties: Readonly<Record<string, string | number | undefined>>): string {
    const key = `${className} ${JSON.stringify(properties)}`;
    const known = this.configurations.get(key);
    if (known !== undefined) return known;
    const name = this.name(className, key, String(this.configurations.size + 1));
    this.configurations.set(key, name);
    this.add(className, { name, ...properties });
    return name;
  }

  /** Says that something has no place in the model. */
  notCarried(
    element: { readonly name: string; readonly mrid: string },
    className: string,
    attribute: string,
    message: string,
    severity: Finding['severity'] = 'warning',
  ): void {
    const { name, mrid } = element;
    this.findings.push({ severity, code: 'NOT_CARRIED', message, class: className, name, mrid, attribute });
  }
}

/** Letters of nodes 1, 2, 3; undefined where there is another node. */
export function letters(nodes: readonly number[]): string | undefined {
  if (nodes.length === 0 || nodes.some((node) => !(node >= 1 && node <= 3))) return undefined;
  return [...new Set(nodes)]
    .sort((a, b) => a - b)
    .map((node) => 'ABC'[node - 1]!)
    .join('');
}
