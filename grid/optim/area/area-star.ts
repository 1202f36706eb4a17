import type { Feeder } from '../../model/index.js';
import type { StarCoordinator } from '../coordinator.js';
import type { CoordinatorData } from '../coordinator-memory.js';
import type { PortPower } from '../primary-truth.js';
import type { RoundProgress } from '../star.js';
import type { StarSettings } from '../star-settings.js';
import type { AreaDirective, AreaReport } from './area.js';
import { type AreaPlan, areaNames, cutAtBuses, cutIntoAreas, namesOfBuses } from './area-cut.js';
import { type AreaForm, type ReportForm, readReport, writeArea } from './area-form.js';
import { type AreaData, type AreaTreeData, splitIntoAreas } from './area-split.js';
import { type AreaMemory, areaMemory, areaReport, takeDirective, warmRho } from './area-update.js';
import { type FeederMemory, feederMemory, feederUpdate } from './feeder-update.js';

/*
 * The feeder's side of the second level (feeder-update.ts) where areas are asked one message at a time and may be silent.
 *
 * The primary is divided anew with every problem: a correction, or an agent that is held. Areas without an agent that takes
 * part are done here: the network in them and its limits count as before, whoever has carried them.
 */

/** An area and who is in it. */
export interface AreaSeats {
  /** For people and on the bus: of the bus that it begins with. */
  readonly name: string;
  readonly agentIds: readonly string[];
}

/** One area's part of a round. */
export interface AreaTask {
  readonly directive?: AreaDirective;
  readonly part?: AreaForm;
  readonly isNew?: boolean;
  /** Mark of the area's response that is known. */
  readonly knows?: string;
  /** Its last report was of a response or of limits that have not come: all of it is to be told again. */
  readonly retell?: boolean;
}

/** What an area came to: its agents' ports by id, and fractions of the primary's own PV in it by PV id. */
export interface AreaFinding {
  readonly agents: Readonly<Record<string, PortPower>>;
  readonly own: Readonly<Record<string, number>>;
}

/** The feeder's half of one pass of areas after another. */
export interface AreaStar {
  /** Agents that can be asked. */
  readonly agentIds: readonly string[];
  /** Divides the problem as it stands. @param isNew - for a new interval, of which the last one's prices are no start */
  open(isNew: boolean): void;
  /** Areas that are to be asked, with their agents that take part. */
  remote(): readonly AreaSeats[];
  /** Their parts of the coming round, by name. */
  tasks(): ReadonlyMap<string, AreaTask>;
  /** Takes the reports of a round, by name. @returns progress, and areas whose report made no sense */
  step(reports: ReadonlyMap<string, ReportForm>): {
    readonly progress: RoundProgress;
    readonly unusable: readonly string[];
  };
  /** Takes what areas came to, by name, as the coordinator's own dispatch and what ports draw under it. */
  take(outcomes: ReadonlyMap<string, AreaFinding>): void;
}

/** How a primary is divided at the beginning of a run. */
export interface AreaSeating {
  readonly areas: readonly AreaSeats[];
  /** Buses at which a cut was asked for and not made. */
  readonly takenBack: readonly string[];
  /** Buses that areas begin at. */
  readonly heads: readonly (string | undefined)[];
}

/** Divides a primary. */
export function seatAreas(data: CoordinatorData, feeder: Feeder, plan: AreaPlan): AreaSeating {
  const cut = cutIntoAreas(data, feeder, plan);
  const names = areaNames(feeder, cut);
  const { areas } = splitIntoAreas(data, cut);
  return {
    areas: areas.map((area, a) => ({ name: names[a]!, agentIds: area.data.agents.map(({ agentId }) => agentId) })),
    takenBack: namesOfBuses(feeder, cut.takenBack),
    heads: cut.heads,
  };
}

/** Makes the feeder's half over the mathematics of the primary. */
export function createAreaStar(
  star: StarCoordinator,
  feeder: Feeder,
  seating: Pick<AreaSeating, 'heads'>,
  settings: StarSettings,
): AreaStar {
  return new PrimaryAreas(star, feeder, seating, settings);
}

/** An area while a problem lasts. */
interface LiveArea {
  readonly name: string;
  readonly data: AreaData;
  /** Of an area that is done here. */
  readonly memory: AreaMemory | undefined;
  /** Whether it has answered since the problem was made, so that it knows it. */
  isInformed: boolean;
  /** Whether its last report was of something that has not come. */
  isLacking: boolean;
  /** Mark of the response that the present problem has of it. */
  mark: string | undefined;
  directive: AreaDirective | undefined;
}

class PrimaryAreas implements AreaStar {
  private areas: readonly LiveArea[] = [];
  private tree: AreaTreeData = { areas: [], links: [], linkAbove: [], linksBelow: [] };
  private memory: FeederMemory;
  /** Areas that have not yet heard that an interval has begun. */
  private readonly unaware = new Set<string>();
  /** Last responses of areas, by name. */
  private readonly responses = new Map<string, { readonly mark: string; readonly upper: readonly number[] }>();
  private own: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly star: StarCoordinator,
    private readonly feeder: Feeder,
    private readonly seating: Pick<AreaSeating, 'heads'>,
    private readonly settings: StarSettings,
  ) {
    this.memory = feederMemory(settings);
  }

  get agentIds(): readonly string[] {
    return this.star.side().data.agents.map(({ agentId }) => agentId);
  }

  open(isNew: boolean): void {
    const { settings, feeder } = this;
    const { data } = this.star.side();
    const cut = cutAtBuses(data, this.seating.heads);
    const names = areaNames(feeder, cut);
    const before = new Map(isNew ? [] : this.areas.map((area) => [area.name, area]));
    this.tree = splitIntoAreas(data, cut);
    const { multipliers } = this.memory;
    this.memory = isNew ? { ...feederMemory(settings), multipliers } : feederMemory(settings, this.memory);
    this.areas = this.tree.areas.map((area, a): LiveArea => {
      const name = names[a]!;
      const last = before.get(name);
      const isHere = area.data.agents.every(({ held }) => held !== undefined);
      return {
        name,
        data: area,
        memory: isHere ? areaMemory(area, settings, last?.memory) : undefined,
        isInformed: false,
        isLacking: false,
        mark: undefined,
        directive: last?.directive,
      };
    });
    if (isNew) {
      this.own = new Map();
      for (const { name } of this.areas) this.unaware.add(name);
    }
  }

  remote(): readonly AreaSeats[] {
    return this.areas
      .filter(({ memory }) => memory === undefined)
      .map(({ name, data: { data } }) => ({
        name,
        agentIds: data.agents.filter(({ held }) => held === undefined).map(({ agentId }) => agentId),
      }));
  }

  tasks(): ReadonlyMap<string, AreaTask> {
    const tasks = new Map<string, AreaTask>();
    for (const { name, data, memory, isInformed, isLacking, directive } of this.areas) {
      if (memory !== undefined) continue;
      tasks.set(name, {
        ...(directive === undefined ? {} : { directive }),
        ...(isLacking ? { retell: true } : {}),
        ...(isInformed ? {} : { part: writeArea(data), isNew: this.unaware.has(name) }),
        ...(isInformed || !this.responses.has(name) ? {} : { knows: this.responses.get(name)!.mark }),
      });
    }
    return tasks;
  }

  step(forms: ReadonlyMap<string, ReportForm>) {
    const { tree, memory, settings, areas } = this;
    const reports = new Map<string, AreaReport>();
    const unusable: string[] = [];
    for (const area of areas) {
      const { areaId } = area.data;
      const form = forms.get(area.name);
      if (area.memory !== undefined) {
        reports.set(areaId, areaReport(area.data, area.memory, new Map(), settings));
      } else if (form !== undefined) {
        // What an area has told before it began anew stands in another order.
        if (form.isOpening && memory.areas.delete(areaId)) memory.system = undefined;
        if (form.isOpening) area.mark = undefined;
        const report = this.read(area, form);
        if (report !== undefined) reports.set(areaId, report);
      }
    }
    const openings = [...forms].filter(([, { isOpening }]) => isOpening);
    const rho = warmRho(openings.map(([, { drift }]) => drift));
    const isWarm = rho !== undefined;
    if (isWarm) memory.rho = rho;
    const { directives, progress } = feederUpdate(tree, memory, reports, settings);
    const missing = new Set(progress.missing);
    for (const area of areas) {
      const { areaId } = area.data;
      const directive = missing.has(areaId) ? undefined : directives.get(areaId);
      if (area.memory !== undefined) {
        if (directive !== undefined) takeDirective(area.data, area.memory, directive, settings);
        continue;
      }
      area.directive = directive && { ...directive, ...(isWarm ? { isWarm } : {}) };
      // Whose report was lost goes on from where it is.
      if (!forms.has(area.name)) continue;
      area.isInformed = true;
      this.unaware.delete(area.name);
      area.isLacking = missing.has(areaId);
      if (area.isLacking) unusable.push(area.name);
    }
    const names = new Map(areas.map(({ name, data }) => [data.areaId, name]));
    return {
      progress: { ...progress, missing: [...missing].map((id) => names.get(id) ?? id) },
      unusable,
    };
  }

  /** A report, undefined where it is of a response that has not come. */
  private read(area: LiveArea, form: ReportForm): AreaReport | undefined {
    const { mark, response } = form;
    const known = this.responses.get(area.name);
    if (mark !== undefined && response === undefined && mark !== known?.mark) return undefined;
    const isNews = mark !== undefined && area.mark !== mark;
    const report = readReport(area.data.areaId, form, isNews ? known?.upper : undefined);
    if (report === undefined || mark === undefined) return report;
    if (response !== undefined) this.responses.set(area.name, { mark, upper: response });
    area.mark = mark;
    return report;
  }

  take(outcomes: ReadonlyMap<string, AreaFinding>): void {
    const alpha = new Map(this.own);
    const ports = new Map<string, PortPower>();
    for (const { name, data, memory } of this.areas) {
      const outcome = outcomes.get(name);
      for (const { id, group } of data.data.units) {
        const fraction = memory === undefined ? outcome?.own[id] : memory.star.ownAlpha[group];
        if (fraction !== undefined) alpha.set(id, fraction);
      }
      for (const [agentId, port] of Object.entries(outcome?.agents ?? {})) ports.set(agentId, port);
    }
    this.own = alpha;
    this.star.take(alpha, new Map(), ports);
  }
}
