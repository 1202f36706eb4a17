/**
 * Which shares of a device one OpenDSS element can stand for: equal shares of two or three phases to one neutral, or round
 * a delta; else each share is an element of one phase.
 */
import type { Connection, PhaseShare } from '../../model/index.js';

/** Shares that one element carries. */
export interface ShareGroup {
  readonly phases: number;
  readonly connection: Connection;
  /** Node numbers in the order of the element's conductors. */
  readonly nodes: readonly number[];
  /** As OpenDSS rates it, kV: line to line for two and three phases, else across the share. */
  readonly kv: number;
  /** Of all shares together, W and var. */
  readonly powerW: number;
  readonly powerVar: number;
  /** What tells the element from the others of the same device; empty when it is the only one. */
  readonly suffix: string;
  /** Positions of the shares in the device. */
  readonly shares: readonly number[];
}

const SQRT3 = Math.sqrt(3);

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}

function areEqual(shares: readonly PhaseShare[]): boolean {
  const first = shares[0]!;
  return shares.every(
    (share) =>
      isClose(share.powerW, first.powerW) &&
      isClose(share.powerVar, first.powerVar) &&
      isClose(share.ratedVoltageV, first.ratedVoltageV),
  );
}

function single(share: PhaseShare, k: number, suffix: string): ShareGroup {
  const isGrounded = share.otherNode === 0;
  return {
    phases: 1,
    connection: 'wye',
    nodes: isGrounded ? [share.node] : [share.node, share.otherNode],
    kv: share.ratedVoltageV / 1000,
    powerW: share.powerW,
    powerVar: share.powerVar,
    suffix,
    shares: [k],
  };
}

/** Groups the shares of a device. */
export function shareGroups(shares: readonly PhaseShare[]): readonly ShareGroup[] {
  const count = shares.length;
  if (count === 1) return [single(shares[0]!, 0, '')];
  if ((count === 2 || count === 3) && areEqual(shares)) {
    const neutral = shares[0]!.otherNode;
    const nodes = shares.map(({ node }) => node);
    const total = {
      phases: count,
      powerW: shares.reduce((sum, { powerW }) => sum + powerW, 0),
      powerVar: shares.reduce((sum, { powerVar }) => sum + powerVar, 0),
      suffix: '',
      shares: shares.map((_, k) => k),
    };
    const isDistinct = new Set(nodes).size === count && !nodes.includes(neutral);
    if (isDistinct && shares.every(({ otherNode }) => otherNode === neutral)) {
      const kv = (shares[0]!.ratedVoltageV * SQRT3) / 1000;
      return [{ ...total, connection: 'wye', nodes: neutral === 0 ? nodes : [...nodes, neutral], kv }];
    }
    const isRound = count === 3 && shares.every(({ otherNode }, k) => otherNode === nodes[(k + 1) % 3]);
    if (isRound) return [{ ...total, connection: 'delta', nodes, kv: shares[0]!.ratedVoltageV / 1000 }];
  }
  return shares.map((share, k) => single(share, k, `_${k + 1}`));
}
