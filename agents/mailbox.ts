import type { Reading } from '../bus/index.js';
import type {
  AgentReply,
  AgentRequest,
  CutOpening,
  CutReply,
  CutRequest,
  DispatchCandidate,
  Forecast,
  VerifyReply,
  VerifyRequest,
} from '../grid/optim/index.js';

/** A measurement as an agent gets it: read by its declared type, with what it is measured on. */
export interface AgentReading {
  /** Canonical id of the measured equipment. */
  readonly equipmentId: string;
  /** Phase label as in the model: A, B, C, s1, s2. */
  readonly phase: string;
  readonly reading: Reading;
}

/** Everything an agent may be told. Nothing else of the feeder reaches it. */
export type AgentInbox =
  | { readonly kind: 'measurements'; readonly timestamp: number; readonly readings: readonly AgentReading[] }
  | {
      readonly kind: 'prepare';
      readonly interval: number;
      readonly timestamp: number;
      readonly forecast: Forecast;
      /** Limits in force where they may not be those that the agent last committed. */
      readonly limits?: readonly DerLimit[];
      /** Weights of rule feedback by PV id. */
      readonly factors?: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'round'; readonly interval: number; readonly request: AgentRequest }
  | { readonly kind: 'open'; readonly interval: number; readonly round: number }
  | { readonly kind: 'dispatch'; readonly interval: number; readonly request: CutRequest }
  | {
      readonly kind: 'verify';
      readonly interval: number;
      readonly round: number;
      readonly request: VerifyRequest;
      /** Dispatch to check; the present one when absent. */
      readonly candidate?: DispatchCandidate;
    }
  | { readonly kind: 'correct'; readonly interval: number; readonly round: number }
  | { readonly kind: 'commit'; readonly interval: number };

/** A limit for one DER, as it leaves the agent at commitment. */
export interface DerLimit {
  /** mRID of the connection as the model spells it. */
  readonly derMrid: string;
  /** Limit of active power, W; the unit's largest power when it is not held back. */
  readonly setpointW: number;
  readonly setpointVar: number;
}

/** Everything an agent may say. */
export type AgentOutbox =
  | {
      readonly kind: 'prepared';
      /** Whether every load and DER of the agent was read at this timestamp. */
      readonly isMeasured: boolean;
    }
  | {
      readonly kind: 'boundary';
      readonly reply: AgentReply;
      readonly alphaSum?: number;
      readonly alphaCount?: number;
    }
  | { readonly kind: 'opened'; readonly opening: CutOpening }
  | { readonly kind: 'cuts'; readonly reply: CutReply }
  | { readonly kind: 'verified'; readonly round: number; readonly reply: VerifyReply }
  | { readonly kind: 'corrected' }
  | { readonly kind: 'limits'; readonly limits: readonly DerLimit[] }
  /** The message does not fit the agent's state (late, doubled, of another interval) and changed nothing. */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** The message cannot be one to this agent (wrong length, no plausible number) and changed nothing. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The agent cannot go on in this interval; it is held at its last feasible set-points. */
  | { readonly kind: 'failed'; readonly message: string };
