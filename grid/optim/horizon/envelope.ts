import type { Feeder, Finding } from '../../model/index.js';
import type { LocalInputs, PrimaryState, VoltageLimits } from '../star.js';

/** How room is shared: `proportional` maximises the sum of w log(limit), `maxMin` raises the smallest limit first. */
export type EnvelopeRule = 'proportional' | 'maxMin';

/**
 * What limits hold for, with taps and capacitors where they stand.
 * `everyMixture`: whatever each customer does inside its limits, exports beside imports included.
 * `oneWay`: the upper voltage limit while nobody imports, the lower one while nobody exports, whoever takes part. An import
 * raises other phases and legs; what that adds to the upper limit is not held. Larger limits for customers.
 */
export type EnvelopeGuarantee = 'everyMixture' | 'oneWay';

/** What to find envelopes for. */
export interface EnvelopeQuestion {
  readonly feeder: Feeder;
  readonly state: PrimaryState;
  readonly voltageLimits: VoltageLimits;
  /** Powers of customers that get no envelope, and of everything else that is given. */
  readonly inputs: LocalInputs;
  /** Default proportional. */
  readonly rule?: EnvelopeRule;
  /** Whether a customer's share grows with what it could use (`capacity`) or all count the same (`equal`, the default). */
  readonly weights?: 'capacity' | 'equal';
  /** `der`: only customers with PV or a battery get envelopes, the others keep their power. Default all. */
  readonly customers?: 'all' | 'der';
  /** Default everyMixture. */
  readonly guarantee?: EnvelopeGuarantee;
  /** Largest limits, W; by default what a customer has: {@link EVSE_W} and its load to import, its DER to export. */
  readonly exportCapW?: number;
  readonly importCapW?: number;
  /** Share of a transformer's rating that may be used; Infinity leaves ratings aside. Default 1. */
  readonly loading?: number;
  /** Random mixtures verified, and their seed. Default 24, 1. */
  readonly mixtures?: number;
  readonly seed?: number;
  /** AC corrections at most. Default 12. */
  readonly maxCorrections?: number;
}

/** A level-2 charger at 48 A and 240 V on top of the load that is there (SAE J1772, AC level 2). */
export const EVSE_W = 11_520;

/** Limits of one customer, W, both positive. */
export interface CustomerEnvelope {
  readonly bus: string;
  readonly name: string;
  readonly exportW: number;
  readonly importW: number;
  readonly exportCapW: number;
  readonly importCapW: number;
}

/** Kinds of operating points: all customers together, a phase alone or against the others, worst for a node, random. */
export type EnvelopeCheckKind = 'together' | 'phase' | 'worst' | 'random';

/** One verified operating point. */
export interface EnvelopeCheck {
  readonly name: string;
  readonly kind: EnvelopeCheckKind;
  readonly isConverged: boolean;
  readonly vMaxPu: number;
  readonly vMinPu: number;
  /** Node furthest out, or nearest to its limit: `BUS.node`. */
  readonly worstNode: string;
  readonly violations: number;
  readonly maxLoading: number;
}

/** How it ended. */
export type EnvelopeStatus = 'optimal' | 'shrunk' | 'baseViolated' | 'failed' | 'nothingToDo';

/** One sentence for each status. */
export const ENVELOPE_STATUS_TEXT: Readonly<Record<EnvelopeStatus, string>> = {
  optimal: 'The fairest limits were found; every operating point verified by the AC power flow is inside.',
  shrunk: 'Limits were reduced in equal measure until every operating point verified by the AC power flow was inside.',
  baseViolated:
    'Limits of the network are broken before any customer with an envelope uses power; no room is left there.',
  failed: 'The AC power flow of an operating point did not converge.',
  nothingToDo: 'There is no customer to give an envelope to.',
};

/** The outcome. */
export interface EnvelopeResult {
  readonly status: EnvelopeStatus;
  readonly statusText: string;
  readonly rule: EnvelopeRule;
  readonly guarantee: EnvelopeGuarantee;
  readonly customers: readonly CustomerEnvelope[];
  readonly totalExportW: number;
  readonly totalImportW: number;
  /** Rows that the limits fill (nodes, transformers, operating points cut), and AC corrections made. */
  readonly bindingRows: number;
  readonly corrections: number;
  readonly checks: readonly EnvelopeCheck[];
  readonly findings: readonly Finding[];
}
