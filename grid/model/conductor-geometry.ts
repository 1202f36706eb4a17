/*
 * Series impedance and shunt admittance of parallel conductors over earth, per metre.
 *
 * Solved: Z of overhead wires, concentric-neutral and tape-shielded cables; Y of the same.
 * Steps:
 *  1. self: internal resistance + j w mu0/2pi ln(1/GMR) + earth return; mutual: j w mu0/2pi ln(1/D) + earth return;
 *  2. neutrals and shields of cables are conductors of their own, at the end of the list, and are always eliminated;
 *  3. conductors beyond the phases are eliminated by Kron's reduction when asked;
 *  4. Y of wires from the inverse of the potential coefficients with image conductors (rows of the eliminated wires are
 *     left out: they are at ground potential); Y of a cable from its own insulation alone.
 * Earth models: `carson` the two leading terms of Carson's series; `fullCarson` eight terms; `deri` the complex depth of
 * Deri with the internal impedance by Bessel functions. The same three, with the same constants, as in OpenDSS.
 * Fails: FEEDER_DATA for distances or radii that are not positive.
 * Source: Kersting (4th ed. 2017) chapters 4 and 5, eq. (4.39)-(4.42), (4.88)-(4.96), (5.31), (5.38); Carson (1926);
 * Deri et al. (1981), "The complex ground return plane"; constants of OpenDSS LineConstants (EPRI).
 */
import { ComplexDense, DecError } from '../math/index.js';
import type { ComplexMatrix } from './element.js';
import { kronReduce, submatrix } from './line-impedance.js';

/** Permittivity of vacuum, F/m, and permeability, H/m, with the digits OpenDSS uses. */
const E0 = 8.854e-12;
const MU0 = 12.56637e-7;
const TWO_PI = 2 * Math.PI;
/** Resistivity of a copper tape shield, ohm metre at 50 degC (OpenDSS TSLineConstants, after Kersting section 4.1.6). */
const TAPE_RESISTIVITY = 2.3718e-8;

/** How the earth return is modelled. */
export type EarthModel = 'carson' | 'fullCarson' | 'deri';

/** A conductor: where it is and what it is made of. SI units: metres, ohm per metre. */
export interface ConductorData {
  /** Horizontal position and height above ground (negative when buried), m. */
  readonly x: number;
  readonly y: number;
  /** Geometric mean radius and outer radius of the (core) conductor, m. */
  readonly gmr: number;
  readonly radius: number;
  /** Resistance at line frequency and operating temperature, and at direct current, ohm per metre. */
  readonly rAc: number;
  readonly rDc: number;
  /** Shield of a cable core, with the insulation between; absent for a bare wire. */
  readonly shield?: CableShield;
}

/** What surrounds the core of a cable. Diameters and thicknesses in m. */
export type CableShield = CableInsulation &
  (
    | {
        readonly kind: 'concentric';
        readonly strandCount: number;
        /** Diameter over the neutral strands (OpenDSS DiaCable), one strand's diameter and its GMR. */
        readonly outerDiameter: number;
        readonly strandDiameter: number;
        readonly strandGmr: number;
        /** Resistance of one strand, ohm per metre. */
        readonly strandR: number;
      }
    | {
        readonly kind: 'tape';
        readonly shieldDiameter: number;
        readonly tapeThickness: number;
        /** Overlap of the tape, per cent. */
        readonly tapeLap: number;
      }
  );

/** The dielectric of a cable. */
export interface CableInsulation {
  readonly relativePermittivity: number;
  readonly insulationDiameter: number;
  readonly insulationThickness: number;
}

/** Impedance of a line by geometry, per metre. */
export interface GeometryImpedance {
  /** Ohm per metre. */
  readonly series: ComplexMatrix;
  /** Siemens per metre, imaginary. */
  readonly shunt: ComplexMatrix;
}

/** What else the impedance depends on. */
export interface GeometrySettings {
  readonly frequencyHz: number;
  /** Default `deri`, as OpenDSS has it. */
  readonly earthModel?: EarthModel;
  /** Resistivity of the earth, ohm metre. Default 100. */
  readonly earthResistivity?: number;
  /** Conductors left after reduction: the first ones of the list. Default all. */
  readonly keep?: number;
}

interface Complex {
  readonly re: number;
  readonly im: number;
}

function complexSqrt({ re, im }: Complex): Complex {
  const size = Math.hypot(re, im);
  const root = Math.sqrt((size + Math.abs(re)) / 2);
  if (root === 0) return { re: 0, im: 0 };
  if (re >= 0) return { re: root, im: im / (2 * root) };
  return { re: Math.abs(im) / (2 * root), im: im < 0 ? -root : root };
}

/** Earth-return terms of Carson's series beyond the first two (OpenDSS FULLCARSON; Kersting eq. 4.37, 4.38). */
function fullCarson(first: ConductorData, second: ConductorData, isSelf: boolean, f: number, rho: number): Complex {
  const height = Math.abs(first.y) + Math.abs(second.y);
  const distance = isSelf ? 2 * Math.abs(first.y) : Math.hypot(height, first.x - second.x);
  const theta = isSelf ? 0 : Math.acos(height / distance);
  const m = 2.8099e-3 * distance * Math.sqrt(f / rho);
  const b1 = 1 / (3 * Math.SQRT2);
  const b2 = 1 / 16;
  const b3 = b1 / 3 / 5;
  const b4 = b2 / 4 / 6;
  const b5 = -b3 / 5 / 7;
  const c2 = 1.3659315;
  const c4 = c2 + 1 / 4 + 1 / 6;
  const d2 = (b2 * Math.PI) / 4;
  const d4 = (b4 * Math.PI) / 4;
  const cos = (k: number) => Math.cos(k * theta);
  const sin = (k: number) => Math.sin(k * theta);
  const re =
    Math.PI / 8 -
    b1 * m * cos(1) +
    b2 * m ** 2 * (Math.log(Math.exp(c2) / m) * cos(2) + theta * sin(2)) +
    b3 * m ** 3 * cos(3) -
    d4 * m ** 4 * cos(4) -
    b5 * m ** 5 * cos(5);
  const im =
    Math.log(1.85138 / m) / 2 +
    b1 * m * cos(1) -
    d2 * m ** 2 * cos(2) +
    b3 * m ** 3 * cos(3) -
    b4 * m ** 4 * (Math.log(Math.exp(c4) / m) * cos(4) + theta * sin(4)) +
    b5 * m ** 5 * cos(5);
  const scale = (TWO_PI * f * MU0) / Math.PI;
  return { re: re * scale, im: im * scale + ((TWO_PI * f * MU0) / TWO_PI) * Math.log(distance) };
}

/** Earth-return impedance between two conductors (or of one), ohm per metre, to be added to w mu0/2pi ln(1/D). */
function earthReturn(
  first: ConductorData,
  second: ConductorData,
  isSelf: boolean,
  settings: Required<GeometrySettings>,
): Complex {
  const { frequencyHz: f, earthResistivity: rho, earthModel } = settings;
  const w = TWO_PI * f;
  if (earthModel === 'carson') {
    return { re: (w * MU0) / 8, im: ((w * MU0) / TWO_PI) * Math.log(658.5 * Math.sqrt(rho / f)) };
  }
  if (earthModel === 'fullCarson') return fullCarson(first, second, isSelf, f, rho);
  // Deri: complex depth 1/sqrt(j w mu0 / rho) below the surface.
  const root = complexSqrt({ re: 0, im: (w * MU0) / rho });
  const size2 = root.re ** 2 + root.im ** 2;
  const depth = { re: root.re / size2, im: -root.im / size2 };
  let argument: Complex;
  if (isSelf) {
    argument = { re: 2 * (Math.abs(first.y) + depth.re), im: 2 * depth.im };
  } else {
    const h = { re: Math.abs(first.y) + Math.abs(second.y) + 2 * depth.re, im: 2 * depth.im };
    const x = first.x - second.x;
    argument = complexSqrt({ re: h.re ** 2 - h.im ** 2 + x * x, im: 2 * h.re * h.im });
  }
  const factor = (w * MU0) / TWO_PI;
  return {
    re: -factor * Math.atan2(argument.im, argument.re),
    im: factor * Math.log(Math.hypot(argument.re, argument.im)),
  };
}

/** Internal resistance of a solid round conductor by the ratio of Bessel functions I0 / I1 (skin effect), ohm per metre. */
function skinResistance(rDc: number, f: number): number {
  const a = Math.sqrt((f * MU0) / rDc);
  let ratio: Complex = { re: 1, im: 0 };
  if (Math.hypot(a, a) <= 35) {
    // Power series of I0 and I1 at (1 + j) a: x^2/4 = j a^2/2.
    const step = (a * a) / 2;
    let term: Complex = { re: 1, im: 0 };
    let i0: Complex = term;
    let sum1: Complex = term;
    for (let k = 1; k < 200; k++) {
      term = { re: (-term.im * step) / (k * k), im: (term.re * step) / (k * k) };
      i0 = { re: i0.re + term.re, im: i0.im + term.im };
      sum1 = { re: sum1.re + term.re / (k + 1), im: sum1.im + term.im / (k + 1) };
      if (Math.hypot(term.re, term.im) < 1e-17 * Math.hypot(i0.re, i0.im)) break;
    }
    const i1: Complex = { re: (a / 2) * (sum1.re - sum1.im), im: (a / 2) * (sum1.re + sum1.im) };
    const size2 = i1.re ** 2 + i1.im ** 2;
    ratio = { re: (i0.re * i1.re + i0.im * i1.im) / size2, im: (i0.im * i1.re - i0.re * i1.im) / size2 };
  }
  return ((ratio.re - ratio.im) * Math.sqrt(rDc * f * MU0)) / 2;
}

/** A shield or concentric neutral as a conductor of its own around core `core`. */
interface ShieldConductor {
  readonly core: number;
  readonly resistance: number;
  readonly gmr: number;
  /** Radius of the circle on which it lies, m. */
  readonly radius: number;
  /** Strands on that circle; a tape is one closed surface (0). */
  readonly strands: number;
}

function shieldOf(conductor: ConductorData, core: number): ShieldConductor | undefined {
  const { shield } = conductor;
  if (!shield) return undefined;
  if (shield.kind === 'concentric') {
    const k = shield.strandCount;
    const radius = (shield.outerDiameter - shield.strandDiameter) / 2;
    const gmr = (shield.strandGmr * k * radius ** (k - 1)) ** (1 / k);
    return { core, resistance: shield.strandR / k, gmr, radius, strands: k };
  }
  const { shieldDiameter: d, tapeThickness: t, tapeLap } = shield;
  const resistance = (0.3183 * TAPE_RESISTIVITY) / (d * t * Math.sqrt(50 / (100 - tapeLap)));
  const radius = (d - t) / 2;
  return { core, resistance, gmr: radius, radius, strands: 0 };
}

function check(conductors: readonly ConductorData[]): void {
  conductors.forEach((conductor, i) => {
    const { gmr, radius, x, y } = conductor;
    const clash = conductors.findIndex((other, j) => j < i && other.x === x && other.y === y);
    if (!(gmr > 0) || !(radius > 0) || y === 0 || clash >= 0) {
      throw new DecError(
        'FEEDER_DATA',
        `Conductor ${i + 1} at (${x}, ${y}) m with GMR ${gmr} m and radius ${radius} m gives no impedance${clash >= 0 ? `: it lies on conductor ${clash + 1}` : ''}.`,
        { conductor: i + 1, x, y, gmr, radius },
      );
    }
  });
}

function seriesMatrix(conductors: readonly ConductorData[], settings: Required<GeometrySettings>): ComplexMatrix {
  const { frequencyHz: f, earthModel } = settings;
  const factor = (TWO_PI * f * MU0) / TWO_PI;
  const shields = conductors.map(shieldOf).filter((s) => s !== undefined);
  const n = conductors.length;
  const total = n + shields.length;
  const re = new Array<number>(total * total).fill(0);
  const im = new Array<number>(total * total).fill(0);
  const set = (i: number, j: number, resistance: number, distance: number, earth: Complex) => {
    re[i * total + j] = resistance + earth.re;
    im[i * total + j] = -factor * Math.log(distance) + earth.im;
    re[j * total + i] = re[i * total + j]!;
    im[j * total + i] = im[i * total + j]!;
  };
  const earth = (a: number, b: number) => earthReturn(conductors[a]!, conductors[b]!, a === b, settings);
  const apart = (a: number, b: number) =>
    Math.hypot(conductors[a]!.x - conductors[b]!.x, conductors[a]!.y - conductors[b]!.y);
  conductors.forEach((conductor, i) => {
    const resistance = earthModel === 'deri' ? skinResistance(conductor.rDc, f) : conductor.rAc;
    set(i, i, resistance, conductor.gmr, earth(i, i));
    for (let j = 0; j < i; j++) set(i, j, 0, apart(i, j), earth(i, j));
  });
  shields.forEach((shield, s) => {
    const row = n + s;
    set(row, row, shield.resistance, shield.gmr, earth(shield.core, shield.core));
    for (let t = 0; t < s; t++) {
      const other = shields[t]!.core;
      set(row, n + t, 0, apart(shield.core, other), earth(shield.core, other));
    }
    for (let j = 0; j < n; j++) {
      let distance = shield.radius;
      if (j !== shield.core) {
        distance = apart(shield.core, j);
        const k = shield.strands;
        // Geometric mean distance from a ring of k strands to a point outside it (Kersting eq. 4.92).
        if (k > 0) distance = (distance ** k - shield.radius ** k) ** (1 / k);
      }
      set(row, j, 0, distance, earth(shield.core, j));
    }
  });
  return kronReduce({ n: total, re, im }, n);
}

function shuntMatrix(conductors: readonly ConductorData[], f: number): ComplexMatrix {
  const n = conductors.length;
  const w = TWO_PI * f;
  const im = new Array<number>(n * n).fill(0);
  if (conductors.some((conductor) => conductor.shield)) {
    conductors.forEach(({ shield }, i) => {
      if (!shield) return;
      const outer = shield.insulationDiameter / 2;
      const inner = outer - shield.insulationThickness;
      im[i * n + i] = (TWO_PI * E0 * shield.relativePermittivity * w) / Math.log(outer / inner);
    });
    return { n, re: new Array<number>(n * n).fill(0), im };
  }
  const potential = new ComplexDense(n);
  const scale = 1 / (TWO_PI * E0 * w);
  conductors.forEach((a, i) => {
    conductors.forEach((b, j) => {
      const image = i === j ? 2 * Math.abs(a.y) : Math.hypot(a.x - b.x, Math.abs(a.y) + Math.abs(b.y));
      const distance = i === j ? a.radius : Math.hypot(a.x - b.x, a.y - b.y);
      potential.add(i, j, scale * Math.log(image / distance), 0);
    });
  });
  const inverse = potential.inverse();
  return { n, re: new Array<number>(n * n).fill(0), im: Array.from(inverse.re) };
}

/**
 * Impedance and admittance per metre of a line given by its conductors, phases first.
 *
 * @returns matrices of order `keep` (default: all conductors), in the order of the conductors
 * @throws DecError FEEDER_DATA when a conductor has no size or lies on another one
 * @example conductorImpedance(wires, { frequencyHz: 60, earthModel: 'carson', keep: 3 }).series
 */
export function conductorImpedance(
  conductors: readonly ConductorData[],
  settings: GeometrySettings,
): GeometryImpedance {
  check(conductors);
  const full: Required<GeometrySettings> = {
    earthModel: 'deri',
    earthResistivity: 100,
    keep: conductors.length,
    ...settings,
  };
  const series = kronReduce(seriesMatrix(conductors, full), full.keep);
  const shunt = shuntMatrix(conductors, full.frequencyHz);
  return { series, shunt: submatrix(shunt, [...Array(full.keep).keys()]) };
}
