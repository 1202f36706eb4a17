import type { CompiledFeeder, Feeder, Finding, ProfileNames, Terminal } from '../../model/index.js';
import { DssNames } from './name.js';

/** What the writers of the classes share: the feeder, names given so far, lines and findings so far. */
export class DssScriptText {
  readonly lines: string[] = [];
  readonly findings: Finding[] = [];
  /** Commands that open terminals, said once everything is there. */
  readonly openings: string[] = [];
  readonly names = new DssNames();
  readonly feeder: Feeder;

  constructor(readonly compiled: CompiledFeeder) {
    this.feeder = compiled.feeder;
  }

  /** A heading above a group of commands. */
  section(title: string, count: number): void {
    if (count > 0) this.lines.push('', `! ${title}`);
  }

  add(...lines: readonly string[]): void {
    this.lines.push(...lines);
  }

  /** Name of a bus. */
  bus(id: string): string {
    return this.names.name('bus', id, this.feeder.busById.get(id)?.name ?? id);
  }

  /** A terminal as `bus.1.2.3`. */
  at({ bus, nodes }: Terminal): string {
    return [this.bus(bus), ...nodes].join('.');
  }

  /** Name of an element in its class. */
  element(className: string, element: { readonly id: string; readonly name: string }): string {
    return this.names.name(className, element.id, element.name);
  }

  /** Profile properties of a device. */
  profiles(profiles: ProfileNames | undefined): Readonly<Record<string, string | undefined>> {
    const shape = (name: string | undefined) =>
      name === undefined ? undefined : this.names.name('LoadShape', name.toLowerCase(), name);
    return { daily: shape(profiles?.daily), yearly: shape(profiles?.yearly), duty: shape(profiles?.duty) };
  }

  /** Says that something of an element has no place in OpenDSS, and what stands for it. */
  notCarried(
    element: { readonly name: string; readonly mrid: string },
    className: string,
    attribute: string,
    message: string,
    severity: Finding['severity'] = 'warning',
  ): void {
    this.findings.push({
      severity,
      code: 'NOT_CARRIED',
      message,
      class: className,
      name: element.name,
      mrid: element.mrid,
      attribute,
    });
  }
}
