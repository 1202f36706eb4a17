/*
 * Wires, cables and their places against what can be built. Geometry becomes impedance through logarithms of ratios, so that
 * a value in a wrong unit gives a number that looks like an impedance; it shows in the data sheet alone.
 * Source: Kersting (4th ed. 2017), appendices A and B; IEC 60287-1-1 for dielectrics.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { demand } from './plausibility.js';

/** Outer radius of any conductor, and its GMR, m. */
const MAX_RADIUS_M = 0.1;
/** A round wire's GMR is 0.78 of its radius, a tube's below it; this much is rounding. */
const GMR_MARGIN = 1.02;
/** The least share of the radius that a GMR has: single-layer ACSR, whose steel carries flux (1/0 ACSR: 0.27). */
const MIN_GMR_SHARE = 0.2;
/** Resistance of conductors, ohm per m: the largest copper, the smallest steel. */
const MIN_OHM_PER_M = 3e-6;
const MAX_OHM_PER_M = 0.05;
/** Resistance of a wire at alternating current over that at direct current. */
const MIN_AC_RATIO = 0.95;
const MAX_AC_RATIO = 3;
/** Relative permittivity of cable dielectrics: polyethylene has 2.3, PVC up to 8. */
const MAX_PERMITTIVITY = 12;
/** Height of any pole and depth of any trench, distance from the middle of the line, m. */
const MAX_HEIGHT_M = 100;
const MAX_DEPTH_M = 10;
const MAX_OFFSET_M = 50;
/** Share by which radius and insulation may miss the diameter over them: screens over the core. */
const DIAMETER_SHARE = 0.5;

type Check = (attribute: string, isRight: (value: number) => boolean, allowed: string, severity?: 'warning') => void;

function checker(eq: CimEquipment, object: CimObject): Check {
  return (attribute, isRight, allowed, severity) => {
    const value = eq.optionalNumber(object, attribute);
    if (value !== undefined) demand(eq, object, attribute, value, isRight(value), allowed, severity ?? 'error');
  };
}

function checkConductor(eq: CimEquipment, wire: CimObject): void {
  const check = checker(eq, wire);
  const radius = eq.optionalNumber(wire, 'WireInfo.radius') ?? 0;
  check('WireInfo.radius', (v) => v > 0, 'above 0 m');
  check('WireInfo.radius', (v) => v <= MAX_RADIUS_M, `up to ${MAX_RADIUS_M} m`, 'warning');
  check('WireInfo.gmr', (v) => v > 0, 'above 0 m');
  const largest = radius > 0 ? Math.min(MAX_RADIUS_M, GMR_MARGIN * radius) : MAX_RADIUS_M;
  check('WireInfo.gmr', (v) => v <= largest, `up to the radius, ${radius} m`, 'warning');
  const least = MIN_GMR_SHARE * radius;
  const share = `${MIN_GMR_SHARE} of the radius (${radius} m) or more, ${Number(least.toPrecision(4))} m`;
  check('WireInfo.gmr', (v) => v <= 0 || v >= least, share, 'warning');
  const rDc = eq.optionalNumber(wire, 'WireInfo.rDC20');
  // What is not above 0 has an error already.
  const inRange = (v: number) => v <= 0 || (v >= MIN_OHM_PER_M && v <= MAX_OHM_PER_M);
  for (const name of ['rDC20', 'rAC25', 'rAC50', 'rAC75']) {
    check(`WireInfo.${name}`, (v) => v > 0, 'above 0 ohm per m');
    check(`WireInfo.${name}`, inRange, `${MIN_OHM_PER_M} to ${MAX_OHM_PER_M} ohm per m`, 'warning');
    if (rDc === undefined || name === 'rDC20') continue;
    const isRatio = (v: number) => v <= 0 || rDc <= 0 || (v >= MIN_AC_RATIO * rDc && v <= MAX_AC_RATIO * rDc);
    check(`WireInfo.${name}`, isRatio, `${MIN_AC_RATIO} to ${MAX_AC_RATIO} times rDC20, ${rDc}`, 'warning');
  }
}

function checkCable(eq: CimEquipment, wire: CimObject): void {
  const check = checker(eq, wire);
  const value = (attribute: string) => eq.optionalNumber(wire, attribute);
  const radius = value('WireInfo.radius') ?? 0;
  const thickness = value('WireInfo.insulationThickness') ?? 0;
  const over = value('CableInfo.diameterOverInsulation') ?? 0;
  check('CableInfo.relativePermittivity', (v) => v >= 1, '1 (vacuum) or above');
  check('CableInfo.relativePermittivity', (v) => v <= MAX_PERMITTIVITY, `up to ${MAX_PERMITTIVITY}`, 'warning');
  check('WireInfo.insulationThickness', (v) => v > 0, 'above 0 m');
  const isWithin = (v: number) => over === 0 || 2 * v < over;
  check('WireInfo.insulationThickness', isWithin, `below half the diameter over the insulation, ${over} m`);
  check('CableInfo.diameterOverInsulation', (v) => v > 2 * radius, `above the conductor's diameter, ${2 * radius} m`);
  const whole = 2 * (radius + thickness);
  const fits = (v: number) => Math.abs(v - whole) <= DIAMETER_SHARE * whole;
  check('CableInfo.diameterOverInsulation', fits, `about ${Number(whole.toPrecision(4))} m by its parts`, 'warning');
  check('CableInfo.diameterOverCore', (v) => over === 0 || v <= over, `up to that over the insulation, ${over} m`);
  const outside = `above that over the insulation, ${over} m`;
  for (const name of [
    'CableInfo.diameterOverScreen',
    'CableInfo.diameterOverJacket',
    'ConcentricNeutralCableInfo.diameterOverNeutral',
  ]) {
    check(name, (v) => v >= over, outside);
    check(name, (v) => v <= 4 * over, `up to four times that over the insulation, ${over} m`, 'warning');
  }
  const strand = 'ConcentricNeutralCableInfo.neutralStrand';
  const strandRadius = value(`${strand}Radius`) ?? 0;
  check(`${strand}Count`, (v) => v >= 1 && Number.isInteger(v), 'a whole number from 1');
  check(`${strand}Radius`, (v) => v > 0 && v <= over, 'above 0 m, within the cable');
  check(`${strand}Gmr`, (v) => v > 0, 'above 0 m');
  check(`${strand}Gmr`, (v) => v <= GMR_MARGIN * strandRadius, `up to the radius, ${strandRadius} m`, 'warning');
  check(`${strand}RDC20`, (v) => v > 0, 'above 0 ohm per m');
  check(`${strand}RDC20`, (v) => v <= 0 || (v >= 1e-4 && v <= 0.5), '0.0001 to 0.5 ohm per m', 'warning');
  check('TapeShieldCableInfo.tapeThickness', (v) => v > 0, 'above 0 m');
  check('TapeShieldCableInfo.tapeThickness', (v) => v <= 0.005, 'up to 0.005 m', 'warning');
  check('TapeShieldCableInfo.tapeLap', (v) => v >= 0 && v < 100, '0 to below 100 per cent');
}

/** Names what is impossible or unlikely in the wires, cables and places of conductors that lines by geometry use. */
export function nameImplausibleWires(eq: CimEquipment): void {
  const wires = new Set<CimObject>();
  for (const phase of eq.index.byClass('ACLineSegmentPhase')) {
    const id = phase.ref('ACLineSegmentPhase.WireInfo') ?? phase.ref('PowerSystemResource.AssetDatasheet');
    const wire = id === undefined ? undefined : eq.index.objects.get(id);
    if (wire) wires.add(wire);
  }
  for (const wire of wires) {
    checkConductor(eq, wire);
    if (wire.className !== 'OverheadWireInfo' && wire.className !== 'WireInfo') checkCable(eq, wire);
  }
  for (const position of eq.index.byClass('WirePosition')) {
    const check = checker(eq, position);
    check('WirePosition.yCoord', (v) => v <= MAX_HEIGHT_M, `up to ${MAX_HEIGHT_M} m`, 'warning');
    check('WirePosition.yCoord', (v) => v >= -MAX_DEPTH_M, `${-MAX_DEPTH_M} m or above`, 'warning');
    check('WirePosition.xCoord', (v) => Math.abs(v) <= MAX_OFFSET_M, `within ${MAX_OFFSET_M} m`, 'warning');
  }
}
