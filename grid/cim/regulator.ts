import type { Regulator, Transformer } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { nodeOfPhase, phasesOf } from './phase.js';
import { demand, demandVoltage } from './plausibility.js';
import type { WindingPlace } from './winding.js';

/** Largest change of voltage by one step of any tap changer, per cent. */
const MAX_STEP_PERCENT = 10;
/** Steps of real tap changers, per cent: 32 steps of 0.3125 % and five of 5 %. */
const MIN_USUAL_STEP_PERCENT = 0.1;
const MAX_USUAL_STEP_PERCENT = 5;
/** Primary rating of current transformers over the rated current of the winding; 0.06 stands in published feeders. */
const MIN_CT_SHARE = 0.02;
const MAX_CT_SHARE = 10;
/** Dials of line-drop compensators, V on a PT secondary of 120 V. */
const MAX_LINE_DROP_V = 24;
const PT_SECONDARY_V = 120;
/** Steps of real tap changers away from 0: 32, and double that. */
const MAX_STEPS = 64;
/** Delays of real controls end far below an hour, s. */
const MAX_DELAY_S = 3600;
/** Share by which the voltage at the neutral step may miss that of the winding. */
const NEUTRAL_DEVIATION = 0.2;
/** PT ratios from windings of low voltage, regulated as they are, to those of the highest voltage. */
const MAX_PT_RATIO = 1e4;

/** The TapChangerInfo of older files, tied by Asset. */
function tapChangerInfo(eq: CimEquipment, changer: CimObject): CimObject | undefined {
  return eq.index
    .referrers(changer.id, 'Asset.PowerSystemResources')
    .flatMap((asset) => asset.refs('Asset.AssetInfo'))
    .map((id) => eq.index.objects.get(id))
    .find((info) => info?.className === 'TapChangerInfo');
}

/** The transformer end of a tap changer, whichever of the two holds the link, as canonical id. */
function endOf(eq: CimEquipment, changer: CimObject): string | undefined {
  return (
    changer.ref('RatioTapChanger.TransformerEnd') ??
    eq.index.referrersOf(changer, 'TransformerEnd.RatioTapChanger')[0]?.id
  );
}

/** The TransformerTank of a tap changer, when its transformer has tanks. */
function tapChangerTank(eq: CimEquipment, changer: CimObject): CimObject | undefined {
  const end = eq.index.objects.get(endOf(eq, changer) ?? '');
  return eq.index.objects.get(end?.ref('TransformerTankEnd.TransformerTank') ?? '');
}

/** The PowerTransformer a tap changer belongs to. */
export function tapChangerBank(eq: CimEquipment, changer: CimObject): CimObject | undefined {
  const end = eq.index.objects.get(endOf(eq, changer) ?? '');
  const tank = tapChangerTank(eq, changer);
  return eq.index.objects.get(
    end?.ref('PowerTransformerEnd.PowerTransformer') ?? tank?.ref('TransformerTank.PowerTransformer') ?? '',
  );
}

/** Whether the transformer of a tap changer is in service; a tap changer goes with it. */
export function isTapChangerInService(eq: CimEquipment, changer: CimObject): boolean {
  const parts = [tapChangerBank(eq, changer), tapChangerTank(eq, changer)];
  return parts.every((part) => part === undefined || eq.isInService(part));
}

/** Present position, steps. Exporters before 2019 write the ratio (1.0625) in the place of the step. */
function tapPosition(eq: CimEquipment, changer: CimObject, neutralStep: number, stepPu: number): number {
  const step = eq.optionalNumber(changer, 'TapChanger.step', 'TapChanger.normalStep') ?? neutralStep;
  const isRatio = Math.abs(step - 1) < 0.25 && (!Number.isInteger(step) || neutralStep !== 0);
  if (!isRatio || !(stepPu > 0)) return step;
  eq.findings.add('info', 'UNIT', changer, 'Its step is written as a ratio and turned into steps.', {
    attribute: 'TapChanger.step',
    value: String(step),
  });
  return neutralStep + Math.round((step - 1) / stepPu);
}

/** Names instrument transformers that do not fit the winding, and compensations beyond any dial. */
function checkInstruments(
  eq: CimEquipment,
  changer: CimObject,
  control: CimObject,
  { phases, windings }: Transformer,
  w: number,
  set: { readonly ptRatio: number; readonly ctPrimaryA: number; readonly targetV: number },
): void {
  const { ratedVoltageV, ratedPowerVA } = windings[w]!;
  const { ptRatio, ctPrimaryA, targetV } = set;
  const attribute = 'TapChanger.ptRatio';
  const isRatio = ptRatio <= 0 || (ptRatio <= MAX_PT_RATIO && ptRatio <= ratedVoltageV);
  demand(eq, changer, attribute, ptRatio, isRatio, `1 V or more behind it at ${ratedVoltageV} V`, 'warning');
  if (!(eq.flag(control, 'TapChangerControl.lineDropCompensation') ?? false)) return;
  const ratedA = ratedPowerVA / (ratedVoltageV * (phases === 3 ? Math.sqrt(3) : 1));
  const isNear = (a: number) => a <= 0 || (a >= MIN_CT_SHARE * ratedA && a <= MAX_CT_SHARE * ratedA);
  const near = `${MIN_CT_SHARE} to ${MAX_CT_SHARE} times the rated current of its winding, ${Number(ratedA.toPrecision(4))} A`;
  demand(eq, changer, 'TapChanger.ctRating', ctPrimaryA, isNear(ctPrimaryA), near, 'warning');
  // A control in volts of the primary has its dials in the same unit.
  const most = MAX_LINE_DROP_V * Math.max(1, targetV / PT_SECONDARY_V / 1.25);
  for (const name of ['TapChangerControl.lineDropR', 'TapChangerControl.lineDropX']) {
    const dropV = eq.optionalNumber(control, name) ?? 0;
    const allowed = `within ${Number(most.toPrecision(4))} V`;
    demand(eq, control, name, dropV, Math.abs(dropV) <= most, allowed, 'warning');
  }
}

/** Names steps, delays and a neutral voltage that no tap changer of this winding has. */
function checkTapChanger(
  eq: CimEquipment,
  changer: CimObject,
  { phases, windings }: Transformer,
  w: number,
  steps: { readonly lowStep: number; readonly highStep: number; readonly neutralStep: number },
): void {
  const { lowStep, highStep, neutralStep } = steps;
  const range = `${lowStep} to ${highStep}`;
  // The position is counted from the neutral one: outside the range no position leaves the voltage as it is.
  const isInside = neutralStep >= lowStep && neutralStep <= highStep;
  const ifAbsent = changer.kindOf('TapChanger.neutralStep') === undefined ? '; absent, it counts as 0' : '';
  const between = `${range}, lowStep to highStep${ifAbsent}`;
  demand(eq, changer, 'TapChanger.neutralStep', neutralStep, isInside, between);
  const within = `within ${MAX_STEPS} steps of 0`;
  for (const [attribute, step] of [
    ['TapChanger.lowStep', lowStep],
    ['TapChanger.highStep', highStep],
  ] as const) {
    demand(eq, changer, attribute, step, Math.abs(step) <= MAX_STEPS, within, 'warning');
  }
  for (const attribute of ['TapChanger.initialDelay', 'TapChanger.subsequentDelay']) {
    const delayS = eq.optionalNumber(changer, attribute) ?? 0;
    demand(eq, changer, attribute, delayS, delayS >= 0 && delayS <= MAX_DELAY_S, `0 to ${MAX_DELAY_S} s`, 'warning');
  }
  const neutralU = eq.optionalNumber(changer, 'TapChanger.neutralU') ?? 0;
  if (neutralU === 0) return;
  const rated = windings[w]!.ratedVoltageV;
  // Writers give it between lines or to neutral.
  const usual = phases === 3 ? [rated, rated / Math.sqrt(3)] : [rated];
  const isRated = usual.some((volts) => Math.abs(neutralU - volts) <= NEUTRAL_DEVIATION * volts);
  const allowed = `about ${usual.map((volts) => Number(volts.toPrecision(6))).join(' or ')} V, as its winding is rated`;
  demand(eq, changer, 'TapChanger.neutralU', neutralU, isRated, allowed, 'warning');
}

/** Names the absent place of a control: a warning where another bus than that of the winding may be meant. */
function nameAbsentTerminal(eq: CimEquipment, control: CimObject, winding: number): void {
  const attribute = 'RegulatingControl.Terminal';
  if (control.kindOf(attribute) !== undefined) return;
  const isRemote = eq.flag(control, 'TapChangerControl.lineDropCompensation') ?? false;
  const why = isRemote
    ? ' and line drop is counted from there'
    : winding === 0
      ? ', the first one, which usually feeds the transformer'
      : '';
  const severity = isRemote || winding === 0 ? 'warning' : 'info';
  const message = `${attribute} is absent; the bus of its own winding is regulated${why}.`;
  eq.findings.add(severity, 'DEFAULTED_ATTRIBUTE', control, message, {
    attribute,
    allowed: 'the terminal it regulates',
  });
}

/**
 * Maps one RatioTapChanger with its control.
 *
 * @param places - where the transformer ends went
 * @returns undefined, with a finding, when its transformer end is not in the model
 */
export function readRegulator(
  eq: CimEquipment,
  changer: CimObject,
  places: ReadonlyMap<string, WindingPlace>,
  transformers: ReadonlyMap<string, Transformer>,
): Regulator | undefined {
  const end = endOf(eq, changer);
  const place = end === undefined ? undefined : places.get(end);
  const transformer = place && transformers.get(place.transformerId);
  if (!place || !transformer) {
    eq.findings.add('error', 'MISSING_REFERENCE', changer, 'Its transformer end is not in the model; it is left out.', {
      attribute: 'RatioTapChanger.TransformerEnd',
      ...(end === undefined ? {} : { value: end }),
    });
    return undefined;
  }
  const control =
    changer.link('TapChanger.TapChangerControl') ?? eq.index.referrersOf(changer, 'TapChangerControl.TapChanger')[0];
  const info = tapChangerInfo(eq, changer);
  if (!control) {
    eq.findings.add('info', 'DEFAULTED_ATTRIBUTE', changer, 'It has no TapChangerControl; its tap stays where it is.', {
      attribute: 'TapChanger.TapChangerControl',
    });
  }
  const isEnabled =
    control !== undefined &&
    (eq.flag(changer, 'TapChanger.controlEnabled') ?? true) &&
    (eq.flag(control, 'RegulatingControl.enabled') ?? true);
  const neutralStep = eq.optionalNumber(changer, 'TapChanger.neutralStep') ?? 0;
  const lowStep = eq.number(changer, 'TapChanger.lowStep', -16);
  const highStep = eq.number(changer, 'TapChanger.highStep', 16);
  if (!demand(eq, changer, 'TapChanger.lowStep', lowStep, lowStep <= highStep, `up to highStep (${highStep})`)) {
    return undefined;
  }
  checkTapChanger(eq, changer, transformer, place.winding, { lowStep, highStep, neutralStep });
  const stepPercent = eq.number(changer, 'RatioTapChanger.stepVoltageIncrement', 0.625);
  const isStep = stepPercent > 0 && stepPercent <= MAX_STEP_PERCENT;
  demand(eq, changer, 'RatioTapChanger.stepVoltageIncrement', stepPercent, isStep, `above 0, to ${MAX_STEP_PERCENT} %`);
  const isUsual = !isStep || (stepPercent >= MIN_USUAL_STEP_PERCENT && stepPercent <= MAX_USUAL_STEP_PERCENT);
  const usual = `${MIN_USUAL_STEP_PERCENT} to ${MAX_USUAL_STEP_PERCENT} %`;
  demand(eq, changer, 'RatioTapChanger.stepVoltageIncrement', stepPercent, isUsual, usual, 'warning');
  const stepPu = stepPercent / 100;
  const position = tapPosition(eq, changer, neutralStep, stepPu);
  const range = `${lowStep} to ${highStep}`;
  demand(eq, changer, 'TapChanger.step', position, position >= lowStep && position <= highStep, range);
  demand(eq, changer, 'TapChanger.step', position, Number.isInteger(position), 'a whole number');
  const ownRatio = eq.optionalNumber(changer, 'TapChanger.ptRatio');
  const ptRatio = ownRatio ?? eq.optionalNumber(info, 'TapChangerInfo.ptRatio') ?? 1;
  const ctPrimaryA =
    eq.optionalNumber(changer, 'TapChanger.ctRating') ?? eq.optionalNumber(info, 'TapChangerInfo.ctRating') ?? 0;
  const hasRatio = demand(eq, changer, 'TapChanger.ptRatio', ptRatio, ptRatio > 0, 'above 0');
  demand(eq, changer, 'TapChanger.ctRating', ctPrimaryA, ctPrimaryA >= 0, '0 or above');
  // CGMES gives the controlled voltage itself, in kV.
  const unit = eq.isCgmes ? 1e3 : 1;
  const targetV = control ? unit * eq.number(control, 'RegulatingControl.targetValue', 120) : 0;
  const bandV = control ? unit * eq.number(control, 'RegulatingControl.targetDeadband', 2) : 0;
  const limit = (attribute: string) => {
    const value = eq.optionalNumber(control, attribute);
    return value !== undefined && value > 0 ? value : undefined;
  };
  const maxVoltageV = limit('TapChangerControl.maxLimitVoltage') ?? limit('TapChangerControl.limitVoltage');
  const minVoltageV = limit('TapChangerControl.minLimitVoltage');
  const monitoredTerminal = eq.index.objects.get(control?.ref('RegulatingControl.Terminal') ?? '');
  const monitoredBus = eq.busOf(monitoredTerminal);
  const winding = transformer.windings[place.winding]!;
  const watched = phasesOf(control?.get('RegulatingControl.monitoredPhase'));
  const phase = watched[0];
  const isElsewhere = monitoredBus !== undefined && monitoredBus !== winding.terminal.bus;
  const isForeign = watched.some((one) => one === 'N' || !winding.terminal.nodes.includes(nodeOfPhase(one)));
  if (isEnabled && !isElsewhere && isForeign) {
    eq.findings.add('warning', 'CONFLICTING_VALUE', control, 'The phase it watches is not one of its winding.', {
      ...{ attribute: 'RegulatingControl.monitoredPhase', value: watched.join('') },
      allowed: `a phase of nodes ${winding.terminal.nodes.join(', ')}`,
    });
  }
  if (isEnabled && hasRatio) {
    const isWyeBank = transformer.phases === 3 && winding.connection === 'wye';
    const own = winding.ratedVoltageV / (isWyeBank ? Math.sqrt(3) : 1);
    const base = isElsewhere ? eq.busBase(monitoredBus) : undefined;
    const expectedV = (base === undefined ? own : base / Math.sqrt(3)) / ptRatio;
    const behind = `, behind the PT ratio of ${ptRatio}`;
    demandVoltage(eq, control, 'RegulatingControl.targetValue', targetV, expectedV, behind);
    const band = 'RegulatingControl.targetDeadband';
    demand(eq, control, band, bandV, bandV >= 0 && bandV < targetV, `0 to the target (${targetV})`);
    // A band narrower than one step is never held: the tap changer would move for ever.
    const stepV = stepPu * targetV;
    demand(
      eq,
      control,
      band,
      bandV,
      bandV < 0 || bandV >= stepV,
      `one step (${stepV.toPrecision(3)} V) or more`,
      'warning',
    );
    if (minVoltageV !== undefined && minVoltageV > targetV - bandV / 2) {
      eq.findings.add(
        'warning',
        'UNREPRESENTED_ATTRIBUTE',
        control ?? changer,
        'TapChangerControl.minLimitVoltage lies inside the band, but the control knows an upper limit only.',
        {
          attribute: 'TapChangerControl.minLimitVoltage',
          value: String(minVoltageV),
          allowed: `up to ${targetV - bandV / 2}`,
        },
      );
    }
  }
  if (control && isEnabled) nameAbsentTerminal(eq, control, place.winding);
  if (control) checkInstruments(eq, changer, control, transformer, place.winding, { ptRatio, ctPrimaryA, targetV });
  return {
    kind: 'regulator',
    id: changer.id,
    mrid: changer.mrid,
    name: changer.name,
    transformerId: transformer.id,
    winding: place.winding,
    lowStep,
    highStep,
    neutralStep,
    stepPu,
    position: Math.min(highStep, Math.max(lowStep, Math.round(position))),
    isControlEnabled: isEnabled,
    targetV,
    bandV,
    ptRatio,
    ctPrimaryA,
    hasLineDropCompensation: eq.flag(control, 'TapChangerControl.lineDropCompensation') ?? false,
    lineDropRV: eq.optionalNumber(control, 'TapChangerControl.lineDropR') ?? 0,
    lineDropXV: eq.optionalNumber(control, 'TapChangerControl.lineDropX') ?? 0,
    initialDelayS: eq.optionalNumber(changer, 'TapChanger.initialDelay') ?? 0,
    subsequentDelayS: eq.optionalNumber(changer, 'TapChanger.subsequentDelay') ?? 0,
    ...(maxVoltageV === undefined ? {} : { maxVoltageV }),
    ...(minVoltageV === undefined ? {} : { minVoltageV }),
    isReversible: eq.flag(control, 'TapChangerControl.reversible') ?? false,
    ...(isElsewhere
      ? { monitored: { bus: monitoredBus, nodes: phase ? [nodeOfPhase(phase)] : winding.terminal.nodes } }
      : transformer.phases === 3 && phase
        ? { monitored: { bus: winding.terminal.bus, nodes: [nodeOfPhase(phase)] } }
        : {}),
  };
}
