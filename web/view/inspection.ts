import type { BranchFlow, FeederMap, NodeName } from './run-document.js';

/** A file that a reader gives to look at. */
export interface GivenFile {
  /** As the reader's machine calls it, without folders. */
  readonly name: string;
  readonly text: string;
}

/** A finding of reading or validation. */
export interface FindingLine {
  readonly severity: 'error' | 'warning' | 'info';
  readonly code: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  /** Objects it stands for. */
  readonly count: number;
}

/** A power flow of a feeder as its model describes it. */
export interface SnapshotFlow {
  readonly status: string;
  readonly iterations: number;
  /** Nodes with a voltage, neutrals left out. */
  readonly nodes: readonly NodeName[];
  readonly voltagesPu: readonly (number | null)[];
  /** In the order of {@link FeederMap.branches}. */
  readonly branches: readonly BranchFlow[];
  readonly sourceW: number;
  readonly lossW: number;
  readonly vMaxPu: number | null;
  readonly vMinPu: number | null;
  readonly vMaxNode: NodeName | null;
  readonly vMinNode: NodeName | null;
}

/** What `POST /api/models` answers: the feeder that was taken into the model store. */
export interface KeptFeeder {
  readonly name: string;
  readonly mrid: string;
  readonly status: 'added' | 'updated' | 'unchanged';
}

/** What `POST /api/inspect` answers: files that were read, checked, drawn and computed, and not kept. */
export interface Inspection {
  readonly files: readonly string[];
  readonly feeder: { readonly name: string; readonly mrid: string };
  /** Further feeders of the same files, which were not looked at. */
  readonly others: readonly string[];
  /** Number of elements by kind. */
  readonly counts: Readonly<Record<string, number>>;
  /** The gravest first. */
  readonly findings: readonly FindingLine[];
  /** Findings beyond those told. */
  readonly furtherFindings: number;
  readonly map: FeederMap;
  readonly flow: SnapshotFlow | null;
  /** Why there is no flow. */
  readonly flowProblem: string | null;
}
