/** A host as it introduced itself. */
export interface HostRecord {
  readonly hostId: string;
  readonly capacity: number;
}

/** Agents by the host that is to carry them. */
export type Seating = Map<string, string[]>;

/** An agent whose host has failed so many times under it is not given to another one: it may be what ends them. */
const FAILURES_MAX = 2;
/** A host that has let so many questions in a row pass does not answer, whatever else it says. */
const UNRELIABLE_AFTER = 2;

/** Who carries whom: hosts that came, the agents each was given, and which of them can be relied on. No messages, no time. */
export class Roster {
  private readonly hosts = new Map<string, HostRecord>();
  private readonly carriers = new Map<string, string>();
  /** Agents that their host no longer carries: it has come back without them. */
  private readonly stray = new Set<string>();
  /** Hosts that let a question pass, said nothing else while it stood, and have not been heard since. */
  private readonly silent = new Set<string>();
  /** Questions in a row that a host let pass, whatever else it says. */
  private readonly missedInRow = new Map<string, number>();
  /** Hosts that have been heard since the present question was asked. */
  private readonly present = new Set<string>();
  /** How many hosts have failed under an agent. */
  private readonly failures = new Map<string, number>();
  /** Who must sit beside whom: name of the group by agent. */
  private groups: ReadonlyMap<string, string> = new Map();

  get hostIds(): readonly string[] {
    return [...this.hosts.keys()];
  }

  get agentIds(): readonly string[] {
    return [...this.carriers.keys()];
  }

  get size(): number {
    return this.hosts.size;
  }

  has(hostId: string): boolean {
    return this.hosts.has(hostId);
  }

  record(hostId: string): HostRecord | undefined {
    return this.hosts.get(hostId);
  }

  /** The host of an agent; undefined when nobody was given it. */
  carrierOf(agentId: string): string | undefined {
    return this.carriers.get(agentId);
  }

  /** Whether an agent's host is there. */
  isCarried(agentId: string): boolean {
    const hostId = this.carriers.get(agentId);
    return hostId !== undefined && this.hosts.has(hostId);
  }

  /** Whether a host that is there may speak for an agent. */
  carries(hostId: string, agentId: string): boolean {
    return this.carriers.get(agentId) === hostId && this.hosts.has(hostId);
  }

  agentsOf(hostId: string): readonly string[] {
    return this.agentIds.filter((agentId) => this.carriers.get(agentId) === hostId);
  }

  isSilent(hostId: string): boolean {
    return this.silent.has(hostId);
  }

  /**
   * A host said hello.
   * @returns whether it carries agents that another host was given since
   */
  greet(host: HostRecord, carried: readonly string[], isGiving: boolean): boolean {
    const { hostId } = host;
    this.hosts.set(hostId, host);
    if (isGiving) return false;
    const own = new Set(carried);
    for (const agentId of this.agentsOf(hostId)) {
      if (own.has(agentId)) this.stray.delete(agentId);
      else this.stray.add(agentId);
    }
    return carried.some((agentId) => this.carriers.has(agentId) && this.carriers.get(agentId) !== hostId);
  }

  /** A question is asked: what was heard before is no sign of who is there now. */
  listen(): void {
    this.present.clear();
  }

  /** Something came from a host. */
  heard(hostId: string): void {
    this.silent.delete(hostId);
    this.present.add(hostId);
  }

  /** A host answered a question. */
  answered(hostId: string): void {
    this.missedInRow.delete(hostId);
  }

  /** A host let a question pass. Of one that said something else meanwhile, what was lost may have been a message. */
  missed(hostId: string): void {
    if (!this.present.has(hostId)) this.silent.add(hostId);
    this.missedInRow.set(hostId, (this.missedInRow.get(hostId) ?? 0) + 1);
  }

  /** A host does not take what it is given. */
  idled(hostId: string): void {
    this.silent.add(hostId);
    this.missedInRow.set(hostId, UNRELIABLE_AFTER);
  }

  /** A host has left or ended. */
  lose(hostId: string): void {
    this.hosts.delete(hostId);
    this.missedInRow.delete(hostId);
    this.silent.delete(hostId);
  }

  /** Seats agents on a host. */
  seat(hostId: string, agentIds: Iterable<string>): void {
    for (const agentId of agentIds) {
      this.carriers.set(agentId, hostId);
      this.stray.delete(agentId);
    }
  }

  /** Takes agents out of the run. */
  dismiss(agentIds: Iterable<string>): void {
    for (const agentId of agentIds) this.carriers.delete(agentId);
  }

  /** Has agents of one group sit on one host. @param groups - name of the group by agent */
  group(groups: ReadonlyMap<string, string>): void {
    this.groups = groups;
  }

  /** Groups on hosts with room for them, the largest first and to the host with the fewest; the others in turn. */
  inTurn(agentIds: readonly string[], hostIds: readonly string[]): Seating {
    const seating: Seating = new Map(hostIds.map((hostId) => [hostId, []]));
    const groups = new Map<string, string[]>();
    const single: string[] = [];
    for (const agentId of agentIds) {
      const group = this.groups.get(agentId);
      if (group === undefined) single.push(agentId);
      else groups.set(group, [...(groups.get(group) ?? []), agentId]);
    }
    const roomOf = (hostId: string): number =>
      (this.hosts.get(hostId)?.capacity ?? 0) - seating.get(hostId)!.length - this.agentsOf(hostId).length;
    for (const members of [...groups.values()].sort((a, b) => b.length - a.length)) {
      const open = hostIds.filter((hostId) => roomOf(hostId) >= members.length);
      const fewest = [...open].sort((a, b) => seating.get(a)!.length - seating.get(b)!.length)[0];
      if (fewest !== undefined) seating.get(fewest)!.push(...members);
    }
    this.seatInTurn(single, hostIds, seating);
    return seating;
  }

  private seatInTurn(agentIds: readonly string[], hostIds: readonly string[], seating: Seating): void {
    agentIds.forEach((agentId, turn) => {
      for (let k = 0; k < hostIds.length; k++) {
        const hostId = hostIds[(turn + k) % hostIds.length]!;
        const seated = seating.get(hostId)!;
        if (seated.length + this.agentsOf(hostId).length >= (this.hosts.get(hostId)?.capacity ?? 0)) continue;
        seated.push(agentId);
        return;
      }
    });
  }

  /** Hosts that are there and answer. */
  reliable(): readonly string[] {
    return this.hostIds.filter((hostId) => {
      return !this.silent.has(hostId) && (this.missedInRow.get(hostId) ?? 0) < UNRELIABLE_AFTER;
    });
  }

  /** Hosts that have ended, left, or do not answer, with agents that may go to another one. */
  failed(): readonly string[] {
    const reliable = new Set(this.reliable());
    const carried = [...this.carriers].filter(([agentId]) => this.mayMove(agentId)).map(([, hostId]) => hostId);
    return [...new Set(carried)].filter((hostId) => !reliable.has(hostId));
  }

  /**
   * Where agents without a host go: to their host if it has come back without them, to the one that was started in its
   * place, else to the reliable host with the fewest. Agents for whom there is none stay where they were.
   *
   * @param replacements - hosts started for others that failed
   */
  rescue(replacements: ReadonlyMap<string, string>): Seating {
    const seating: Seating = new Map();
    const reliable = this.reliable();
    const load = new Map(reliable.map((hostId) => [hostId, this.agentsOf(hostId).length]));
    const reserved = new Set(replacements.values());
    const counted = new Set<string>();
    /** Where others of a group go, so that it stays together. */
    const targetOf = new Map<string, string>();
    for (const [agentId, hostId] of this.carriers) {
      const isReliable = load.has(hostId);
      if (isReliable && !this.stray.has(agentId)) continue;
      if (!isReliable) counted.add(agentId);
      if (!isReliable && !this.mayMove(agentId)) continue;
      const isBack = this.hosts.has(hostId) && !this.silent.has(hostId) && this.stray.has(agentId);
      const replacement = replacements.get(hostId);
      const open = reliable
        .filter((id) => !reserved.has(id) && load.get(id)! < this.hosts.get(id)!.capacity)
        .sort((a, b) => load.get(a)! - load.get(b)!);
      const group = this.groups.get(agentId);
      const beside = group === undefined ? undefined : targetOf.get(group);
      const target = isReliable ? hostId : (replacement ?? beside ?? open[0] ?? (isBack ? hostId : undefined));
      if (target === undefined) continue;
      if (group !== undefined) targetOf.set(group, target);
      load.set(target, (load.get(target) ?? 0) + 1);
      const list = seating.get(target) ?? [];
      list.push(agentId);
      seating.set(target, list);
    }
    for (const agents of seating.values()) {
      for (const agentId of agents) {
        if (counted.has(agentId)) this.failures.set(agentId, (this.failures.get(agentId) ?? 0) + 1);
      }
    }
    return seating;
  }

  private mayMove(agentId: string): boolean {
    return (this.failures.get(agentId) ?? 0) + 1 < FAILURES_MAX;
  }
}
