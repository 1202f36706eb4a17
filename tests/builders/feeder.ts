import {
  type Battery,
  type Bus,
  buildFeeder,
  type Capacitor,
  type CapacitorControl,
  type ComplexMatrix,
  type Connection,
  type Feeder,
  type FeederData,
  type Line,
  type Load,
  type Machine,
  type PhaseShare,
  type PhotovoltaicSystem,
  type Reactor,
  type Regulator,
  type Source,
  type Switch,
  type Transformer,
  type ZipShares,
} from '../../grid/model/index.js';

/** Rows of a symmetric matrix: full or lower triangle. */
export type Rows = readonly (readonly number[])[];

/** One winding in the words of a nameplate. */
export interface WindingOptions {
  readonly bus: string;
  /** Default: the phases of the transformer, with neutral 0 for a wye. */
  readonly nodes?: readonly number[];
  readonly connection?: Connection;
  /** Line-to-line for three phases, across the winding for one. */
  readonly kv: number;
  readonly kva: number;
  readonly resistancePct?: number;
  readonly tapRatio?: number;
  readonly groundOhm?: { readonly r: number; readonly x: number };
}

/** What loads and generation have in common. */
interface ShuntOptions {
  /** Letters of the phases (`'A'`, `'ABC'`, `'s1'`, `'s1s2'`); default ABC. */
  readonly phases?: string;
  readonly kw: number;
  readonly kvar?: number;
  readonly connection?: Connection;
  /** Rated voltage of one share, kV; default from the base of the bus. */
  readonly shareKv?: number;
  readonly minPu?: number;
  readonly maxPu?: number;
}

const NODE: Readonly<Record<string, number>> = { A: 1, B: 2, C: 3, N: 4, s1: 1, s2: 2 };

/** Node numbers of a phase text such as `ABC`, `BN` or `s1s2`. */
export function nodesOf(phases: string): number[] {
  return (phases.match(/s1|s2|[ABCN]/g) ?? []).map((phase) => NODE[phase]!);
}

/** A full symmetric matrix from rows, each entry multiplied by a factor. */
export function symmetric(r: Rows, x: Rows, factor = 1): ComplexMatrix {
  const n = r.length;
  const at = (rows: Rows, i: number, j: number) => (rows[i]?.[j] ?? rows[j]?.[i] ?? 0) * factor;
  const cells = Array.from({ length: n * n }, (_, k) => [Math.floor(k / n), k % n] as const);
  return { n, re: cells.map(([i, j]) => at(r, i, j)), im: cells.map(([i, j]) => at(x, i, j)) };
}

const ZIP: Readonly<Record<'pq' | 'i' | 'z', ZipShares>> = {
  pq: { z: 0, i: 0, p: 1 },
  i: { z: 0, i: 1, p: 0 },
  z: { z: 1, i: 0, p: 0 },
};

/**
 * Writes small feeders in a few lines. Buses come into being when they are named; their base voltages spread from the
 * sources over lines and switches and are set by the rated voltages of transformer windings.
 * Ids are `<kind>.<name>`, bus ids the upper-case names.
 *
 * @example
 * feeder('two bus').source('S', 'A', { kv: 12.47 }).line('L', 'A', 'B', { r: [[0.3]], x: [[0.6]], phases: 'A' })
 *   .load('D', 'B', { phases: 'A', kw: 100, kvar: 40 }).build()
 */
export class FeederBuilder {
  private readonly buses = new Map<string, { baseV: number; isSplitPhase: boolean; x?: number; y?: number }>();
  private readonly sources: Source[] = [];
  private readonly lines: Line[] = [];
  private readonly switches: Switch[] = [];
  private readonly transformers: Transformer[] = [];
  private readonly regulators: Regulator[] = [];
  private readonly reactors: Reactor[] = [];
  private readonly late: ((lists: LateLists) => void)[] = [];

  constructor(private readonly name: string) {}

  /** Names a bus beforehand, to fix its line-to-neutral base voltage or its kind. */
  bus(name: string, options: { baseV?: number; isSplitPhase?: boolean; x?: number; y?: number } = {}): this {
    const bus = this.buses.get(name.toUpperCase()) ?? { baseV: 0, isSplitPhase: false };
    if (options.baseV !== undefined) bus.baseV = options.baseV;
    if (options.isSplitPhase !== undefined) bus.isSplitPhase = options.isSplitPhase;
    if (options.x !== undefined) bus.x = options.x;
    if (options.y !== undefined) bus.y = options.y;
    this.buses.set(name.toUpperCase(), bus);
    return this;
  }

  /** A three-phase source (or of the phases given) behind a small impedance. */
  source(
    name: string,
    bus: string,
    options: {
      kv: number;
      pu?: number;
      angleDeg?: number;
      phases?: string;
      z1?: readonly [number, number];
      z0?: readonly [number, number];
    },
  ): this {
    const nodes = nodesOf(options.phases ?? 'ABC');
    const [r1Ohm, x1Ohm] = options.z1 ?? [1e-6, 1e-6];
    const [r0Ohm, x0Ohm] = options.z0 ?? [r1Ohm, x1Ohm];
    this.bus(bus, { baseV: (options.kv * 1000) / (nodes.length > 1 ? Math.sqrt(3) : 1) });
    this.sources.push({
      id: `source.${name}`,
      mrid: '',
      name,
      kind: 'source',
      terminal: { bus: bus.toUpperCase(), nodes },
      voltageV: options.kv * 1000 * (options.pu ?? 1),
      nominalVoltageV: options.kv * 1000,
      angleRad: ((options.angleDeg ?? 0) * Math.PI) / 180,
      r1Ohm,
      x1Ohm,
      r0Ohm,
      x0Ohm,
    });
    return this;
  }

  /** A line by its matrices per unit of length, `length` units long (default: the whole in one). */
  line(
    name: string,
    from: string,
    to: string,
    options: {
      r: Rows;
      x: Rows;
      /** Shunt susceptance, microsiemens per unit of length. */
      bMicroSiemens?: Rows;
      length?: number;
      phases?: string;
      nodes?: readonly number[];
      lengthM?: number;
      ratingA?: number;
      isOpen?: { readonly from: readonly boolean[]; readonly to: readonly boolean[] };
    },
  ): this {
    const nodes = options.nodes ?? nodesOf(options.phases ?? 'ABC');
    const length = options.length ?? 1;
    const zero = options.r.map((row) => row.map(() => 0));
    this.bus(from).bus(to);
    this.lines.push({
      id: `line.${name}`,
      mrid: '',
      name,
      kind: 'line',
      from: { bus: from.toUpperCase(), nodes },
      to: { bus: to.toUpperCase(), nodes },
      lengthM: options.lengthM ?? length,
      seriesOhm: symmetric(options.r, options.x, length),
      shuntSiemens: symmetric(zero, options.bMicroSiemens ?? zero, length * 1e-6),
      ...(options.ratingA === undefined ? {} : { ratingA: options.ratingA }),
      ...(options.isOpen ? { isOpen: options.isOpen } : {}),
      impedanceSource: 'matrix',
    });
    return this;
  }

  /** A reactor of the same impedance in each phase; without `to` it is a shunt: wye to ground or delta. */
  reactor(
    name: string,
    from: string,
    options: {
      ohm: readonly [number, number];
      to?: string;
      nodes?: readonly number[];
      toNodes?: readonly number[];
      connection?: Connection;
    },
  ): this {
    const nodes = options.nodes ?? [1, 2, 3];
    const isDelta = options.connection === 'delta';
    const far = options.to ? nodes : isDelta ? nodes.map((_, i) => nodes[(i + 1) % nodes.length]!) : nodes.map(() => 0);
    const diagonal = (value: number) => nodes.map((_, i) => nodes.map((__, j) => (i === j ? value : 0)));
    this.bus(from).bus(options.to ?? from);
    this.reactors.push({
      id: `reactor.${name}`,
      mrid: '',
      name,
      kind: 'reactor',
      from: { bus: from.toUpperCase(), nodes },
      to: { bus: (options.to ?? from).toUpperCase(), nodes: options.toNodes ?? far },
      seriesOhm: symmetric(diagonal(options.ohm[0]), diagonal(options.ohm[1])),
    });
    return this;
  }

  /** A switch of 0.001 + j0.001 ohm a phase. */
  switch(
    name: string,
    from: string,
    to: string,
    options: { phases?: string; isOpen?: boolean | readonly boolean[]; ratingA?: number } = {},
  ): this {
    const nodes = nodesOf(options.phases ?? 'ABC');
    const open = options.isOpen ?? false;
    const isOpen = typeof open === 'boolean' ? nodes.map(() => open) : open;
    const diagonal = nodes.map((_, i) => nodes.map((__, j) => (i === j ? 0.001 : 0)));
    this.bus(from).bus(to);
    this.switches.push({
      id: `switch.${name}`,
      mrid: '',
      name,
      kind: 'switch',
      switchClass: 'LoadBreakSwitch',
      from: { bus: from.toUpperCase(), nodes },
      to: { bus: to.toUpperCase(), nodes },
      isOpen,
      isNormallyOpen: isOpen.every(Boolean),
      ...(options.ratingA === undefined ? {} : { ratingA: options.ratingA }),
      seriesOhm: symmetric(diagonal, diagonal),
    });
    return this;
  }

  /** A transformer of two or more windings; `reactancesPct` are 12, 13, 23, ... on the first winding. */
  transformer(
    name: string,
    options: {
      phases?: 1 | 3;
      windings: readonly WindingOptions[];
      reactancesPct: readonly number[];
      noLoadLossPct?: number;
      magnetisingPct?: number;
      construction?: Transformer['construction'];
      isDeltaLeading?: boolean;
    },
  ): this {
    const phases = options.phases ?? 3;
    const construction = options.construction ?? 'standard';
    options.windings.forEach((winding, w) => {
      const isLeg = construction === 'centerTap' && w > 0;
      const baseV =
        (winding.kv * 1000) / (phases === 3 || (winding.connection === 'delta' && !isLeg) ? Math.sqrt(3) : 1);
      const known = this.buses.get(winding.bus.toUpperCase());
      if (!known || known.baseV === 0) this.bus(winding.bus, { baseV, isSplitPhase: isLeg });
    });
    this.transformers.push({
      id: `transformer.${name}`,
      mrid: '',
      name,
      kind: 'transformer',
      phases,
      windings: options.windings.map((winding) => {
        const connection = winding.connection ?? 'wye';
        const threePhase = connection === 'wye' ? [1, 2, 3, 0] : [1, 2, 3];
        return {
          terminal: { bus: winding.bus.toUpperCase(), nodes: winding.nodes ?? (phases === 3 ? threePhase : [1, 0]) },
          connection,
          ratedVoltageV: winding.kv * 1000,
          ratedPowerVA: winding.kva * 1000,
          resistancePu: (winding.resistancePct ?? 0) / 100,
          tapRatio: winding.tapRatio ?? 1,
          ...(winding.groundOhm ? { groundOhm: winding.groundOhm } : {}),
        };
      }),
      reactancesPu: options.reactancesPct.map((x) => x / 100),
      noLoadLossPu: (options.noLoadLossPct ?? 0) / 100,
      magnetisingPu: (options.magnetisingPct ?? 0) / 100,
      construction,
      isDeltaLeading: options.isDeltaLeading ?? false,
      bankId: `transformer.${name}`,
      bankName: name,
      ratingVA: (options.windings[0]?.kva ?? 0) * 1000,
    });
    return this;
  }

  /** A tap changer on a winding (counted from 0) of a transformer named before: 32 steps of 0.625 %. */
  regulator(
    name: string,
    transformer: string,
    options: Partial<Omit<Regulator, 'kind' | 'id' | 'mrid' | 'name' | 'transformerId'>> = {},
  ): this {
    this.regulators.push({
      id: `regulator.${name}`,
      mrid: '',
      name,
      kind: 'regulator',
      transformerId: `transformer.${transformer}`,
      winding: 1,
      lowStep: -16,
      highStep: 16,
      neutralStep: 0,
      stepPu: 0.00625,
      position: 0,
      isControlEnabled: true,
      targetV: 120,
      bandV: 2,
      ptRatio: 20,
      ctPrimaryA: 700,
      hasLineDropCompensation: false,
      lineDropRV: 0,
      lineDropXV: 0,
      initialDelayS: 15,
      subsequentDelayS: 2,
      isReversible: false,
      ...options,
    });
    return this;
  }

  /** A capacitor bank; `kvar` over all phases and sections. */
  capacitor(
    name: string,
    bus: string,
    options: {
      kvar: number;
      phases?: string;
      connection?: Connection;
      shareKv?: number;
      sectionCount?: number;
      sectionsOn?: number;
      control?: CapacitorControl;
    },
  ): this {
    this.bus(bus);
    this.late.push((lists) => {
      const sectionCount = options.sectionCount ?? 1;
      const shares = this.shares(bus, { ...options, kw: 0, kvar: options.kvar / sectionCount });
      const connection = options.connection ?? 'wye';
      const rated = shares[0]!.ratedVoltageV * (shares.length > 1 && connection === 'wye' ? Math.sqrt(3) : 1);
      lists.capacitors.push({
        id: `capacitor.${name}`,
        mrid: '',
        name,
        kind: 'capacitor',
        terminal: { bus: bus.toUpperCase(), nodes: nodesOf(options.phases ?? 'ABC') },
        connection,
        sectionVar: (options.kvar * 1000) / sectionCount,
        ratedVoltageV: rated,
        shares,
        sectionCount,
        sectionsOn: shares.map(() => options.sectionsOn ?? sectionCount),
        ...(options.control ? { control: options.control } : {}),
      });
    });
    return this;
  }

  /** A load: constant power, current, impedance or any mix of them. */
  load(
    name: string,
    bus: string,
    options: ShuntOptions & { model?: 'pq' | 'i' | 'z' | ZipShares; customerCount?: number },
  ): this {
    this.bus(bus);
    this.late.push((lists) => {
      const model = options.model ?? 'pq';
      const zip = typeof model === 'string' ? ZIP[model] : model;
      lists.loads.push({
        id: `load.${name}`,
        mrid: '',
        name,
        kind: 'load',
        terminal: { bus: bus.toUpperCase(), nodes: nodesOf(options.phases ?? 'ABC') },
        connection: options.connection ?? 'wye',
        shares: this.shares(bus, options),
        zipP: zip,
        zipQ: zip,
        minVoltagePu: options.minPu ?? 0.95,
        maxVoltagePu: options.maxPu ?? 1.05,
        customerCount: options.customerCount ?? 1,
      });
    });
    return this;
  }

  /** A PV system generating `kw`; the inverter's rating is `kva`, by default a tenth above. */
  pv(name: string, bus: string, options: ShuntOptions & { kva?: number; maxKw?: number }): this {
    this.bus(bus);
    this.late.push((lists) => {
      lists.pvSystems.push({
        ...this.generation('pv', name, bus, options),
        kind: 'pv',
        unitMrid: '',
        maxPowerW: (options.maxKw ?? options.kw) * 1000,
      });
    });
    return this;
  }

  /** A battery discharging `kw` (negative: charging). */
  battery(
    name: string,
    bus: string,
    options: ShuntOptions & { kva?: number; ratedKwh?: number; storedKwh?: number },
  ): this {
    this.bus(bus);
    this.late.push((lists) => {
      const rated = options.kva ?? Math.abs(options.kw) * 1.1;
      lists.batteries.push({
        ...this.generation('battery', name, bus, options),
        kind: 'battery',
        unitMrid: '',
        maxPowerW: rated * 1000,
        maxChargeW: rated * 1000,
        ratedEnergyWh: (options.ratedKwh ?? 4 * rated) * 1000,
        storedEnergyWh: (options.storedKwh ?? 2 * rated) * 1000,
      });
    });
    return this;
  }

  /** A machine generating `kw` and `kvar`. */
  machine(name: string, bus: string, options: ShuntOptions & { kva?: number }): this {
    this.bus(bus);
    this.late.push((lists) => {
      lists.machines.push({ ...this.generation('machine', name, bus, options), kind: 'machine' });
    });
    return this;
  }

  /** The feeder as plain data. */
  data(): FeederData {
    this.spreadBases();
    const lists: LateLists = { capacitors: [], loads: [], pvSystems: [], batteries: [], machines: [] };
    for (const make of this.late) make(lists);
    const buses: Bus[] = [...this.buses].map(([id, bus]) => ({
      id,
      mrid: '',
      name: id,
      baseVoltageV: bus.baseV,
      isSplitPhase: bus.isSplitPhase,
      ...(bus.x === undefined || bus.y === undefined ? {} : { x: bus.x, y: bus.y }),
    }));
    return {
      mrid: '',
      name: this.name,
      frequencyHz: 60,
      container: {
        substationName: 'S',
        substationMrid: '',
        subRegionName: '',
        subRegionMrid: '',
        regionName: '',
        regionMrid: '',
      },
      buses,
      sources: this.sources,
      lines: this.lines,
      switches: this.switches,
      transformers: this.transformers,
      regulators: this.regulators,
      ...lists,
      measurements: [],
      storedAreas: [],
      reactors: this.reactors,
      inverterControls: [],
      profiles: [],
      growthProfiles: [],
    };
  }

  /** The feeder with graph and indices. */
  build(): Feeder {
    return buildFeeder(this.data());
  }

  private generation(kind: string, name: string, bus: string, options: ShuntOptions & { kva?: number }) {
    return {
      id: `${kind}.${name}`,
      mrid: '',
      name,
      terminal: { bus: bus.toUpperCase(), nodes: nodesOf(options.phases ?? 'ABC') },
      connection: options.connection ?? ('wye' as const),
      shares: this.shares(bus, options),
      ratedPowerVA: (options.kva ?? Math.abs(options.kw) * 1.1) * 1000,
      minVoltagePu: options.minPu ?? 0.9,
      maxVoltagePu: options.maxPu ?? 1.1,
    };
  }

  private shares(bus: string, options: ShuntOptions): PhaseShare[] {
    const nodes = nodesOf(options.phases ?? 'ABC');
    const { baseV, isSplitPhase } = this.buses.get(bus.toUpperCase())!;
    const isDelta = (options.connection ?? 'wye') === 'delta';
    const isAcrossLegs = isSplitPhase && nodes.length === 2;
    const pairs: (readonly [number, number])[] = isAcrossLegs
      ? [[1, 2]]
      : isDelta
        ? nodes.length === 2
          ? [[nodes[0]!, nodes[1]!]]
          : nodes.map((node, i) => [node, nodes[(i + 1) % nodes.length]!])
        : nodes.map((node) => [node, 0]);
    const rated = isAcrossLegs ? 2 * baseV : isDelta ? Math.sqrt(3) * baseV : baseV;
    return pairs.map(([node, otherNode]) => ({
      node,
      otherNode,
      ratedVoltageV: options.shareKv === undefined ? rated : options.shareKv * 1000,
      powerW: (options.kw * 1000) / pairs.length,
      powerVar: ((options.kvar ?? 0) * 1000) / pairs.length,
    }));
  }

  private spreadBases(): void {
    for (let pass = 0; pass < this.buses.size; pass++) {
      let isChanged = false;
      for (const branch of [...this.lines, ...this.switches, ...this.reactors]) {
        const from = this.buses.get(branch.from.bus)!;
        const to = this.buses.get(branch.to.bus)!;
        if (from.baseV > 0 === to.baseV > 0) continue;
        isChanged = true;
        const [known, open] = from.baseV > 0 ? [from, to] : [to, from];
        open.baseV = known.baseV;
        open.isSplitPhase = known.isSplitPhase;
      }
      if (!isChanged) return;
    }
  }
}

interface LateLists {
  readonly capacitors: Capacitor[];
  readonly loads: Load[];
  readonly pvSystems: PhotovoltaicSystem[];
  readonly batteries: Battery[];
  readonly machines: Machine[];
}

/** Starts a feeder. */
export function feeder(name = 'test feeder'): FeederBuilder {
  return new FeederBuilder(name);
}
