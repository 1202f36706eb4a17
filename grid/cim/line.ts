/*
 * Lines: ACLineSegment and SeriesCompensator.
 *
 * Impedance, in this order: PerLengthPhaseImpedance (row and column, or the lower triangle column by column); the segment's
 * own r, x, r0, x0, bch, b0ch; PerLengthSequenceImpedance; WireSpacingInfo with the WireInfo of each phase by Carson's
 * equations, neutrals eliminated. Matrix rows follow the sequence numbers of the phases, else the phases A, B, C.
 */

import { DecError } from '../math/index.js';
import {
  type CableShield,
  type ComplexMatrix,
  type ConductorData,
  conductorImpedance,
  type EarthModel,
  type Line,
  scaleMatrix,
  sequenceToPhase,
  submatrix,
  zeroMatrix,
} from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEnding, CimEquipment, ImpedanceMatrices } from './equipment.js';
import { type CimPhase, isSecondaryPhase, nodeOfPhase, orderedPhaseObjects, phasesOf } from './phase.js';

/** How geometry becomes impedance; CIM does not say. */
export interface LineSettings {
  readonly frequencyHz: number;
  readonly earthModel: EarthModel;
  readonly earthResistivity: number;
}

/** More conductors than any line has. */
const MAX_CONDUCTORS = 64;

/** Impedance of the whole length. */
interface Impedance {
  readonly series: ComplexMatrix;
  readonly shunt: ComplexMatrix;
  readonly source: Line['impedanceSource'];
}

function imaginary(matrix: ComplexMatrix): ComplexMatrix {
  return { n: matrix.n, re: new Array<number>(matrix.re.length).fill(0), im: matrix.im };
}

/** Row and column of element `k` of the lower triangle of a matrix, column by column (IEC 61970-301, PhaseImpedanceData). */
function triangleCell(k: number, order: number): readonly [number, number] {
  if (k < 0) return [Number.NaN, Number.NaN];
  let first = 0;
  for (let column = 0; column < order; column++) {
    const next = first + order - column;
    if (k < next) return [column + k - first, column];
    first = next;
  }
  return [Number.NaN, Number.NaN];
}

/** Row and column of one cell, from 0; undefined, with a finding that names the cell, when it has none. */
function cellPlace(eq: CimEquipment, cell: CimObject, cellCount: number): readonly [number, number] | undefined {
  const order = Math.round((Math.sqrt(8 * cellCount + 1) - 1) / 2);
  const row = eq.optionalNumber(cell, 'PhaseImpedanceData.row');
  const column = eq.optionalNumber(cell, 'PhaseImpedanceData.column');
  const isMatrix = row !== undefined && column !== undefined;
  const [i, j] = isMatrix
    ? [row - 1, column - 1]
    : triangleCell((eq.optionalNumber(cell, 'PhaseImpedanceData.sequenceNumber') ?? 0) - 1, order);
  // A matrix of n rows has at least its diagonal, so that a row beyond the number of cells cannot be.
  const isPlace = (k: number) => Number.isInteger(k) && k >= 0 && k < Math.min(cellCount, MAX_CONDUCTORS);
  if (isPlace(i) && isPlace(j)) return [i, j];
  const last = isMatrix ? Math.min(cellCount, MAX_CONDUCTORS) : cellCount;
  const attribute = `PhaseImpedanceData.${isMatrix ? (isPlace(i) ? 'column' : 'row') : 'sequenceNumber'}`;
  eq.findings.add('error', 'BAD_VALUE', cell, `${attribute} is no place in the matrix; lines with it are left out.`, {
    attribute,
    value: cell.get(attribute) ?? 'absent',
    allowed: `1 to ${last}`,
  });
  return undefined;
}

/** Phase matrix of a PerLengthPhaseImpedance, per metre. */
function phaseMatrix(eq: CimEquipment, info: CimObject): ImpedanceMatrices | undefined {
  if (!eq.phaseMatrices.has(info)) eq.phaseMatrices.set(info, readPhaseMatrix(eq, info));
  return eq.phaseMatrices.get(info);
}

function readPhaseMatrix(eq: CimEquipment, info: CimObject): ImpedanceMatrices | undefined {
  const data = eq.index.referrersOf(info, 'PhaseImpedanceData.PhaseImpedance');
  if (data.length === 0) {
    eq.findings.add('error', 'MISSING_REFERENCE', info, 'It has no PhaseImpedanceData.', {
      attribute: 'PhaseImpedanceData.PhaseImpedance',
    });
    return undefined;
  }
  const places = data.flatMap((cell) => {
    const place = cellPlace(eq, cell, data.length);
    return place === undefined ? [] : [place];
  });
  if (places.length < data.length) return undefined;
  const n = Math.max(...places.flat()) + 1;
  const series = zeroMatrix(n);
  const shunt = zeroMatrix(n);
  const re = [...series.re];
  const im = [...series.im];
  const b = [...shunt.im];
  data.forEach((cell, k) => {
    const [i, j] = places[k]!;
    const r = eq.number(cell, 'PhaseImpedanceData.r', 0);
    const x = eq.number(cell, 'PhaseImpedanceData.x', 0);
    const susceptance = eq.optionalNumber(cell, 'PhaseImpedanceData.b') ?? 0;
    for (const at of [i * n + j, j * n + i]) {
      re[at] = r;
      im[at] = x;
      b[at] = susceptance;
    }
  });
  return { series: { n, re, im }, shunt: { n, re: shunt.re, im: b } };
}

/** Sequence values of an object, per metre or for the whole segment; undefined without r and x. */
function sequenceMatrices(
  eq: CimEquipment,
  object: CimObject,
  prefix: string,
  phases: number,
): { series: ComplexMatrix; shunt: ComplexMatrix } | undefined {
  const r = eq.optionalNumber(object, `${prefix}.r`) ?? 0;
  const x = eq.optionalNumber(object, `${prefix}.x`) ?? 0;
  if (r === 0 && x === 0) return undefined;
  const r0 = eq.optionalNumber(object, `${prefix}.r0`) ?? r;
  const x0 = eq.optionalNumber(object, `${prefix}.x0`) ?? x;
  const b1 = eq.optionalNumber(object, `${prefix}.bch`) ?? 0;
  const b0 = eq.optionalNumber(object, `${prefix}.b0ch`) ?? b1;
  return {
    series: sequenceToPhase(phases, { re: r, im: x }, { re: r0, im: x0 }),
    shunt: imaginary(sequenceToPhase(phases, { re: 0, im: b1 }, { re: 0, im: b0 })),
  };
}

function cableShield(eq: CimEquipment, wire: CimObject): CableShield | undefined {
  const value = (attribute: string) => eq.number(wire, attribute, 0);
  const insulation = () => ({
    relativePermittivity: eq.optionalNumber(wire, 'CableInfo.relativePermittivity') ?? 2.3,
    insulationDiameter: value('CableInfo.diameterOverInsulation'),
    insulationThickness: value('WireInfo.insulationThickness'),
  });
  if (wire.className === 'ConcentricNeutralCableInfo') {
    const strandDiameter = 2 * value('ConcentricNeutralCableInfo.neutralStrandRadius');
    return {
      kind: 'concentric',
      ...insulation(),
      strandCount: value('ConcentricNeutralCableInfo.neutralStrandCount'),
      outerDiameter: value('ConcentricNeutralCableInfo.diameterOverNeutral'),
      strandDiameter,
      strandGmr:
        eq.optionalNumber(wire, 'ConcentricNeutralCableInfo.neutralStrandGmr') ?? 0.7788 * (strandDiameter / 2),
      strandR: value('ConcentricNeutralCableInfo.neutralStrandRDC20'),
    };
  }
  if (wire.className === 'TapeShieldCableInfo') {
    return {
      kind: 'tape',
      ...insulation(),
      shieldDiameter: value('CableInfo.diameterOverScreen'),
      tapeThickness: value('TapeShieldCableInfo.tapeThickness'),
      tapeLap: value('TapeShieldCableInfo.tapeLap'),
    };
  }
  return undefined;
}

/** Impedance by wire geometry, per metre; undefined (with a finding) when data are missing. */
function geometryMatrices(
  eq: CimEquipment,
  segment: CimObject,
  spacing: CimObject,
  phaseObjects: readonly CimObject[],
  phaseCount: number,
  settings: LineSettings,
): { series: ComplexMatrix; shunt: ComplexMatrix } | undefined {
  const place = (position: CimObject) => eq.optionalNumber(position, 'WirePosition.sequenceNumber') ?? 0;
  const positions = [...eq.index.referrersOf(spacing, 'WirePosition.WireSpacingInfo')].sort(
    (a, b) => place(a) - place(b),
  );
  const wires = phaseObjects.map((phase) =>
    eq.index.objects.get(
      phase.ref('ACLineSegmentPhase.WireInfo') ?? phase.ref('PowerSystemResource.AssetDatasheet') ?? '',
    ),
  );
  if (positions.length < phaseObjects.length || wires.some((wire) => wire === undefined)) {
    eq.findings.add('error', 'MISSING_REFERENCE', segment, 'Its wire geometry lacks a WirePosition or a WireInfo.', {
      attribute: 'ACLineSegmentPhase.WireInfo',
      value: `${positions.length} positions, ${wires.filter((w) => w !== undefined).length} wires`,
      allowed: `${phaseObjects.length} of each`,
    });
    return undefined;
  }
  const conductors = wires.flatMap((wire, k): ConductorData[] => {
    if (!wire) return [];
    const position = positions[k]!;
    const rDc = eq.optionalNumber(wire, 'WireInfo.rDC20');
    const rAc = eq.optionalNumber(wire, 'WireInfo.rAC25', 'WireInfo.rAC50', 'WireInfo.rAC75') ?? rDc ?? 0;
    const radius = eq.number(wire, 'WireInfo.radius', 0);
    const shield = cableShield(eq, wire);
    return [
      {
        x: eq.number(position, 'WirePosition.xCoord', 0),
        y: eq.number(position, 'WirePosition.yCoord', 0),
        gmr: eq.optionalNumber(wire, 'WireInfo.gmr') ?? 0.7788 * radius,
        radius,
        rAc,
        rDc: rDc ?? rAc,
        ...(shield ? { shield } : {}),
      },
    ];
  });
  try {
    return conductorImpedance(conductors, { ...settings, keep: phaseCount });
  } catch (error) {
    if (!(error instanceof DecError)) throw error;
    eq.findings.add('error', 'BAD_IMPEDANCE', segment, error.message, { attribute: 'WireSpacingInfo' });
    return undefined;
  }
}

/** Names a line whose impedance is per metre and that has no length; an unreadable one is named as such already. */
function noteLength(eq: CimEquipment, segment: CimObject): void {
  if (segment.get('Conductor.length') !== undefined) return;
  eq.findings.add('error', 'MISSING_ATTRIBUTE', segment, 'It has no length and is left out.', {
    attribute: 'Conductor.length',
    allowed: 'above 0',
  });
}

/** Links of a segment to its impedance per length; the first that is written counts. */
const IMPEDANCE_LINKS = ['PerLengthImpedance', 'PhaseImpedance', 'SequenceImpedance'].map(
  (name) => `ACLineSegment.${name}`,
);

/** The line's impedance from whatever the file gives. */
function impedance(
  eq: CimEquipment,
  segment: CimObject,
  phaseObjects: readonly CimObject[],
  phaseCount: number,
  lengthM: number | undefined,
  settings: LineSettings,
): Impedance | undefined {
  let infoNumber = -1;
  for (let k = 0; infoNumber < 0 && k < IMPEDANCE_LINKS.length; k++) {
    infoNumber = segment.linkNumber(IMPEDANCE_LINKS[k]!);
  }
  const info = infoNumber < 0 ? undefined : eq.index.numbered(infoNumber);
  const perLength = (
    found: { series: ComplexMatrix; shunt: ComplexMatrix } | undefined,
    source: Line['impedanceSource'],
  ): Impedance | undefined => {
    if (!found) return undefined;
    if (lengthM === undefined) {
      noteLength(eq, segment);
      return undefined;
    }
    return { series: scaleMatrix(found.series, lengthM), shunt: scaleMatrix(found.shunt, lengthM), source };
  };
  if (info?.className === 'PerLengthPhaseImpedance') return perLength(phaseMatrix(eq, info), 'matrix');
  const prefix = segment.className;
  const own = sequenceMatrices(eq, segment, prefix, phaseCount);
  if (own) return { ...own, source: 'own' };
  if (info) {
    const found = sequenceMatrices(eq, info, 'PerLengthSequenceImpedance', phaseCount);
    if (found) return perLength(found, 'sequence');
  }
  const spacingId =
    segment.ref('ACLineSegment.WireSpacingInfo') ??
    eq.index
      .referrers(segment.id, 'Asset.PowerSystemResources')
      .map((asset) => asset.ref('Asset.AssetInfo'))
      .find((id) => id !== undefined && eq.index.objects.get(id)?.className === 'WireSpacingInfo');
  const spacing = spacingId === undefined ? undefined : eq.index.objects.get(spacingId);
  if (spacing) {
    return perLength(geometryMatrices(eq, segment, spacing, phaseObjects, phaseCount, settings), 'geometry');
  }
  eq.findings.add(
    'error',
    'MISSING_IMPEDANCE',
    segment,
    'It has no impedance of its own nor by reference and is left out.',
    {
      attribute: 'ACLineSegment.PerLengthImpedance',
      ...(infoNumber < 0 ? {} : { value: eq.index.ids.text(infoNumber) }),
    },
  );
  return undefined;
}

/** Phases of a line with its neutral, when explicit, last. */
function linePhases(
  eq: CimEquipment,
  endings: readonly CimEnding[],
  phaseObjects: readonly CimObject[],
): readonly CimPhase[] {
  const phases = phaseObjects.flatMap((object) => phasesOf(object.get('ACLineSegmentPhase.phase')));
  if (phases.length > 0) return phases;
  const written = eq.terminalPhases(endings[0]!);
  return written.length > 0 ? written : ['A', 'B', 'C'];
}

/**
 * Maps one ACLineSegment or SeriesCompensator.
 *
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readLine(eq: CimEquipment, segment: CimObject, settings: LineSettings): Line | undefined {
  const endings = eq.endings(segment, 2);
  if (!endings) return undefined;
  const isSegment = segment.className === 'ACLineSegment';
  const phaseObjects = isSegment
    ? orderedPhaseObjects(
        eq.index.referrersOf(segment, 'ACLineSegmentPhase.ACLineSegment'),
        'ACLineSegmentPhase.phase',
        (phase) => eq.optionalNumber(phase, 'ACLineSegmentPhase.sequenceNumber'),
      )
    : [];
  const phases = linePhases(eq, endings, phaseObjects);
  const live = phases.filter((phase) => phase !== 'N');
  const length = isSegment ? eq.optionalNumber(segment, 'Conductor.length') : 1;
  const found = impedance(eq, segment, phaseObjects, live.length, length, settings);
  if (!found) return undefined;
  let { series, shunt } = found;
  const nodes = live.map(nodeOfPhase);
  // One conductor beyond all phases is the neutral, whether the file lists it or not.
  const isWhole = live.length === 3 || live.length < phases.length || live.every(isSecondaryPhase);
  if (series.n === live.length + 1 && isWhole) {
    nodes.push(4);
  } else if (series.n > live.length) {
    const rows = live.map((_, k) => k);
    const [cells, members] = [series.n, live.length];
    eq.findings.add(
      'error',
      'PHASE_MISMATCH',
      segment,
      `Its impedance is for ${cells} conductors, but it has ${members} phases; which of them is missing is not known.`,
      {
        attribute: 'ACLineSegmentPhase.phase',
        value: String(members),
        allowed: `${cells} ACLineSegmentPhase, N among them for a neutral`,
      },
    );
    series = submatrix(series, rows);
    shunt = submatrix(shunt, rows);
  }
  if (series.n < nodes.length) {
    eq.findings.add(
      'error',
      'PHASE_MISMATCH',
      segment,
      'Its impedance has fewer phases than the line, which is left out.',
      {
        attribute: 'ACLineSegment.PerLengthImpedance',
        value: String(series.n),
        allowed: String(nodes.length),
      },
    );
    return undefined;
  }
  const ratingA = eq.ratingA(segment);
  return {
    kind: 'line',
    id: segment.id,
    mrid: segment.mrid,
    name: segment.name,
    from: eq.terminal(endings[0]!, nodes),
    to: eq.terminal(endings[1]!, nodes),
    lengthM: isSegment ? (length ?? 0) : 0,
    seriesOhm: series,
    shuntSiemens: shunt,
    impedanceSource: found.source,
    ...(ratingA === undefined ? {} : { ratingA }),
  };
}
