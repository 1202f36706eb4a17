import type { MultiUndirectedGraph } from 'graphology';
import type { Bus } from './bus.js';
import type {
  Battery,
  BranchElement,
  Capacitor,
  CurrentSource,
  Element,
  InductionMachine,
  Line,
  Load,
  Machine,
  Measurement,
  PhotovoltaicSystem,
  Reactor,
  Regulator,
  Source,
  Switch,
  Transformer,
} from './element.js';
import type { Finding } from './finding.js';
import type { InverterControl } from './inverter.js';
import type { GrowthProfile, Profile } from './profile.js';

/** What a feeder is, as plain data that survives JSON: the form in which it is stored and sent. */
export interface FeederData {
  /** mRID as the source spells it. */
  readonly mrid: string;
  readonly name: string;
  readonly frequencyHz: number;
  readonly container: FeederContainer;
  readonly buses: readonly Bus[];
  readonly sources: readonly Source[];
  readonly lines: readonly Line[];
  readonly switches: readonly Switch[];
  readonly transformers: readonly Transformer[];
  readonly regulators: readonly Regulator[];
  readonly capacitors: readonly Capacitor[];
  readonly loads: readonly Load[];
  readonly pvSystems: readonly PhotovoltaicSystem[];
  readonly batteries: readonly Battery[];
  readonly machines: readonly Machine[];
  readonly measurements: readonly Measurement[];
  /** SwitchArea, SecondaryArea and FeederArea objects stored in the source, by equipment. */
  readonly storedAreas: readonly StoredArea[];
  /** Series and shunt reactors, grounding impedances, series capacitors. */
  readonly reactors: readonly Reactor[];
  /** Volt-VAr, Volt-Watt and kin. */
  readonly inverterControls: readonly InverterControl[];
  readonly profiles: readonly Profile[];
  readonly growthProfiles: readonly GrowthProfile[];
  /** Sources of constant current; absent for none. */
  readonly currentSources?: readonly CurrentSource[];
  /** Induction machines by their equivalent circuit; absent for none. */
  readonly inductionMachines?: readonly InductionMachine[];
}

/** Where the feeder stands in the utility. */
export interface FeederContainer {
  readonly substationName: string;
  readonly substationMrid: string;
  readonly subRegionName: string;
  readonly subRegionMrid: string;
  readonly regionName: string;
  readonly regionMrid: string;
}

/** An area object found in the source file (measurement files of GridAPPS-D). */
export interface StoredArea {
  readonly mrid: string;
  readonly name: string;
  readonly kind: 'FeederArea' | 'SwitchArea' | 'SecondaryArea';
  /** mRID of the enclosing area. */
  readonly parent?: string;
  /** Canonical ids of the equipment and terminals tied to it. */
  readonly equipment: readonly string[];
  readonly boundaryTerminals: readonly string[];
}

/** What an edge of the graph carries. A transformer of n windings is n-1 edges from its first winding's bus. */
export interface BranchAttributes {
  readonly kind: BranchElement['kind'];
  readonly elementId: string;
  /** Phases in order of conductor, e.g. `ABC` or `s1s2`. */
  readonly phases: string;
  readonly isOpen: boolean;
  /** Winding index at the far end, for transformers. */
  readonly winding?: number;
}

/** The feeder as a graph: bus nodes, branch edges. */
export type FeederGraph = MultiUndirectedGraph<Bus, BranchAttributes>;

/**
 * The engineering model: a graphology graph of buses and branches beside typed elements found by id.
 * It is immutable; the power flow keeps states (taps, switches, powers) of its own.
 */
export interface Feeder extends FeederData {
  readonly graph: FeederGraph;
  /** Any element by canonical id. */
  readonly elements: ReadonlyMap<string, Element & { readonly kind: string }>;
  readonly busById: ReadonlyMap<string, Bus>;
  /** What the reader had to say. */
  readonly findings: readonly Finding[];
}
