import type { Connection, PhaseShare, Transformer } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { type CimPhase, deltaPartner, nodeOfPhase } from './phase.js';

/** More nodes than a bus has. */
const MAX_NODES = 64;

/**
 * Nominal voltages between two nodes of a bus: what a transformer winding across the same nodes of the same galvanic zone
 * is rated for, else the base voltage. Base voltage alone is wrong for four-wire deltas (120 V to neutral in a 240 V
 * system) and for split-phase legs.
 */
export class NominalVoltages {
  readonly #eq: CimEquipment;
  /** Another bus of the same zone by number; -1 for the one that stands for it. */
  readonly #zoneOf: Int32Array;
  readonly #rated = new Map<number, number>();

  /**
   * @param ties - pairs of buses joined by lines and switches
   */
  constructor(eq: CimEquipment, transformers: readonly Transformer[], ties: Iterable<readonly [string, string]>) {
    this.#eq = eq;
    this.#zoneOf = new Int32Array(eq.index.ids.size).fill(-1);
    for (const [a, b] of ties) {
      const [za, zb] = [this.#zone(a), this.#zone(b)];
      if (za !== zb) this.#zoneOf[za] = zb;
    }
    for (const transformer of transformers) {
      transformer.windings.forEach((winding, w) => {
        if (w === 0 || transformer.phases !== 1) return;
        const [a, b] = winding.terminal.nodes;
        const key = this.#key(winding.terminal.bus, a ?? 0, b ?? 0);
        if (!this.#rated.has(key)) this.#rated.set(key, winding.ratedVoltageV);
      });
    }
  }

  /**
   * Nominal voltage across two nodes of a bus, V.
   *
   * @param isSingle - a one-phase device, whose rating to neutral is a standard voltage
   */
  between(
    bus: string,
    node: number,
    other: number,
    connection: Connection,
    lineToLineV: number,
    isSingle = false,
    device?: CimObject,
  ): number {
    if (this.#eq.isSplitPhase(bus)) {
      // Two legs together are rated by the base voltage, as OpenDSS rates them; one leg by its winding.
      const leg = isSingle ? splitLegVoltage(lineToLineV) : legOfBase(lineToLineV);
      return connection === 'delta' ? 2 * splitLegVoltage(lineToLineV) : leg;
    }
    const rated =
      this.#rated.get(this.#key(bus, node, other)) ?? lineToLineV / (connection === 'delta' ? 1 : Math.sqrt(3));
    if (!isSingle || other !== 0) return rated;
    const standard = standardVoltage(rated);
    if (standard !== rated && device) {
      this.#eq.findings.add(
        'info',
        'ASSUMPTION',
        device,
        'A one-phase device is rated at the standard voltage nearest to the system voltage over the square root of three.',
        {
          attribute: 'ConductingEquipment.BaseVoltage',
          value: `${standard} V`,
          allowed: `${Number(rated.toPrecision(6))} V by the base voltage alone`,
        },
      );
    }
    return standard;
  }

  #zone(bus: string): number {
    const zoneOf = this.#zoneOf;
    const start = this.#eq.index.ids.find(bus);
    let root = start;
    while (zoneOf[root]! >= 0) root = zoneOf[root]!;
    // Paths are shortened, so that long feeders stay cheap.
    for (let at = start; at !== root; ) {
      const next = zoneOf[at]!;
      zoneOf[at] = root;
      at = next;
    }
    return root;
  }

  #key(bus: string, a: number, b: number): number {
    return (this.#zone(bus) * MAX_NODES + Math.min(a, b)) * MAX_NODES + Math.max(a, b);
  }
}

/**
 * Standard voltages to neutral, V: 230 of IEC 60038 (systems of 380 to 416 V) and those of ANSI C84.1 table 1.
 * One-phase equipment is rated for them, not for the system voltage over the square root of three.
 */
const STANDARD_VOLTAGES = [120, 277, 347, 2400, 4800, 6930, 7200, 7620, 7970, 12000, 13200, 14400, 19920] as const;

/** The standard voltage within half a per cent of a voltage to neutral, else the voltage itself, V. */
function standardVoltage(toNeutralV: number): number {
  if (toNeutralV > 219 && toNeutralV < 241) return 230;
  return STANDARD_VOLTAGES.find((standard) => Math.abs(toNeutralV / standard - 1) < 0.005) ?? toNeutralV;
}

/**
 * Voltage of one leg of a split-phase secondary, V: writers give its base voltage as 120, 208 or 240.
 * 208 V is 120 V times the square root of three, as OpenDSS counts it.
 */
export function splitLegVoltage(baseV: number): number {
  return baseV > 150 && baseV <= 225 ? Math.round(legOfBase(baseV)) : legOfBase(baseV);
}

/** The same without rounding: 120.09 V for 208 V. */
export function legOfBase(baseV: number): number {
  if (baseV > 225) return baseV / 2;
  return baseV > 150 ? baseV / Math.sqrt(3) : baseV;
}

/** Power of one phase of a device. */
export interface PhasePower {
  readonly phase: CimPhase;
  readonly powerW: number;
  readonly powerVar: number;
}

/** What the shares of a shunt device are made of. */
export interface ShareInput {
  readonly bus: string;
  readonly connection: Connection;
  /** Base voltage of the device, line-to-line V. */
  readonly baseV: number;
  /** Phases with their powers; the three phases when the file has no phase objects. */
  readonly powers: readonly PhasePower[];
  /** The device, for findings. */
  readonly device?: CimObject;
}

/** One phase with more than this is no customer but an equivalent, rated at the system voltage over the root of three. */
const EQUIVALENT_VA = 1e6;

/** Two-terminal shares of a shunt device. A delta share goes from its phase to the next one. */
export function sharesOf(eq: CimEquipment, voltages: NominalVoltages, input: ShareInput): PhaseShare[] {
  const { bus, connection, baseV, device } = input;
  const isSplitPhase = eq.isSplitPhase(bus);
  const powers = input.powers.filter(({ phase }) => phase !== 'N');
  if (connection === 'delta' && powers.length === 2) {
    // Two phases of a delta device without the third are one device across these two.
    const [a, b] = powers;
    const [node, otherNode] = [nodeOfPhase(a!.phase), nodeOfPhase(b!.phase)];
    return [
      {
        node,
        otherNode,
        ratedVoltageV: voltages.between(bus, node, otherNode, 'delta', baseV),
        powerW: a!.powerW + b!.powerW,
        powerVar: a!.powerVar + b!.powerVar,
      },
    ];
  }
  const isAlone = powers.length === 1;
  const isSingle = isAlone && Math.hypot(powers[0]!.powerW, powers[0]!.powerVar) < EQUIVALENT_VA;
  if (isAlone && !isSingle && device && connection === 'wye') {
    eq.findings.add(
      'info',
      'ASSUMPTION',
      device,
      'A one-phase device of 1 MVA or more is an equivalent, rated at the system voltage over the square root of three.',
      { attribute: 'ConductingEquipment.BaseVoltage', allowed: 'below 1 MVA: a standard voltage' },
    );
  }
  return powers.map(({ phase, powerW, powerVar }): PhaseShare => {
    const node = nodeOfPhase(phase);
    const otherNode = connection === 'delta' ? deltaPartner(node, isSplitPhase) : 0;
    return {
      node,
      otherNode,
      ratedVoltageV: voltages.between(bus, node, otherNode, connection, baseV, isSingle, device),
      powerW,
      powerVar,
    };
  });
}

/** The same power on each of some phases. */
export function evenPowers(phases: readonly CimPhase[], powerW: number, powerVar: number): PhasePower[] {
  return phases.map((phase) => ({ phase, powerW: powerW / phases.length, powerVar: powerVar / phases.length }));
}
