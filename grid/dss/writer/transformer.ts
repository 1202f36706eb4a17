/**
 * Transformers with the tap changers on them. Resistances and reactances are per unit on the first winding's rating in the
 * model as in OpenDSS, so that they go over as per cent. Autotransformers with a series winding are of the class AutoTrans.
 */
import type { Regulator, Transformer } from '../../model/index.js';
import { tapRatios } from '../../model/index.js';
import { list, more, newObject, yesNo } from './command.js';
import type { DssScriptText } from './script.js';

const PERCENT = 100;
const KILO = 1000;
/** The range OpenDSS gives a winding that no regulator acts on. */
const DEFAULT_RANGE = { mintap: 0.9, maxtap: 1.1, numtaps: 32 };

/** Conductors of a winding as placed: neutrals with an impedance have a node of their own. */
function terminalOf(script: DssScriptText, transformer: Transformer, winding: number): string {
  const element = script.compiled.elements[script.compiled.elementIndex.get(transformer.id)!]!;
  const nodes = element.conductors.filter((c) => c.terminal === winding + 1).map((c) => c.node);
  return script.at({ bus: transformer.windings[winding]!.terminal.bus, nodes });
}

function reactances(transformer: Transformer, isAuto: boolean) {
  const percent = transformer.reactancesPu.map((x) => x * PERCENT);
  const [first, second, third] = percent;
  // OpenDSS takes xhl=0 for 700 %; in the array a zero is one.
  if (transformer.windings.length > 3 || (!isAuto && percent.includes(0))) return { xscarray: list(percent) };
  return isAuto ? { xhx: first, xht: second, xxt: third } : { xhl: first, xht: second, xlt: third };
}

/** A transformer with the present taps. */
export function writeTransformer(script: DssScriptText, original: Transformer): void {
  const { compiled } = script;
  const transformer = compiled.transformers.get(original.id) ?? original;
  const isAuto = transformer.construction === 'auto';
  const className = isAuto ? 'AutoTrans' : 'Transformer';
  const regulators = compiled.regulatorsOf.get(transformer.id) ?? [];
  const ratios = tapRatios(transformer, regulators, (regulator) => regulator.position);
  const { windings } = transformer;
  const isOwnBank = transformer.bankName === '' || transformer.bankName === transformer.name;
  script.add(
    newObject(className, script.element(className, transformer), {
      phases: transformer.phases,
      windings: windings.length,
      buses: list(windings.map((_, w) => terminalOf(script, transformer, w))),
      conns: list(windings.map(({ connection }, w) => (isAuto && w === 0 ? 'series' : connection))),
      kVs: list(windings.map(({ ratedVoltageV }) => ratedVoltageV / KILO)),
      kVAs: list(windings.map(({ ratedPowerVA }) => ratedPowerVA / KILO)),
      taps: list(ratios),
      '%Rs': list(windings.map(({ resistancePu }) => resistancePu * PERCENT)),
      ...reactances(transformer, isAuto),
      '%noloadloss': transformer.noLoadLossPu * PERCENT,
      '%imag': transformer.magnetisingPu * PERCENT,
      ppm_antifloat: transformer.antifloat === undefined ? undefined : transformer.antifloat * 1e6,
      leadlag: transformer.isDeltaLeading ? 'lead' : undefined,
      normhkva: transformer.ratingVA > 0 ? transformer.ratingVA / KILO : undefined,
      bank: isOwnBank ? undefined : script.names.name('bank', transformer.bankId, transformer.bankName),
    }),
  );
  windings.forEach((winding, w) => {
    const ground = winding.groundOhm;
    if (ground && winding.connection === 'wye' && transformer.phases > 1) {
      script.add(more({ wdg: w + 1, rneut: ground.r, xneut: ground.r < 0 ? undefined : ground.x }));
    }
  });
  for (const regulator of regulators) {
    const { stepPu, lowStep, highStep, neutralStep } = regulator;
    const own = windings[regulator.winding]!.tapRatio;
    const range = {
      mintap: own * (1 + (lowStep - neutralStep) * stepPu),
      maxtap: own * (1 + (highStep - neutralStep) * stepPu),
      numtaps: highStep - lowStep,
    };
    const isDefault = Object.entries(DEFAULT_RANGE).every(
      ([key, value]) => Math.abs(range[key as keyof typeof range] - value) < 1e-12,
    );
    if (!isDefault) script.add(more({ wdg: regulator.winding + 1, ...range }));
  }
}

/** The control of a tap changer. */
export function writeRegulator(script: DssScriptText, regulator: Regulator): void {
  const transformer = script.compiled.transformers.get(regulator.transformerId);
  if (!transformer) return;
  const { reverse, monitored } = regulator;
  const winding = transformer.windings[regulator.winding]!;
  // Another winding of its own that it regulates is no remote bus: there the tap acts the other way.
  const { remotePtWinding } = regulator;
  const isOther = remotePtWinding === undefined && monitored !== undefined && monitored.bus !== winding.terminal.bus;
  const other = isOther ? transformer.windings.findIndex(({ terminal }) => terminal.bus === monitored.bus) : -1;
  const isRemote = monitored !== undefined && (remotePtWinding !== undefined || (isOther && other < 0));
  const place = remotePtWinding === undefined || remotePtWinding === regulator.winding ? other : remotePtWinding;
  const watched = transformer.windings[place] ?? winding;
  const phase = isRemote ? 0 : watched.terminal.nodes.indexOf(monitored?.nodes[0] ?? -1) + 1;
  const hasDrop = regulator.hasLineDropCompensation;
  if (regulator.minVoltageV !== undefined && regulator.minVoltageV > 0) {
    const message = `The lower voltage limit of regulator ${regulator.name} is left out; an OpenDSS RegControl has only an upper one.`;
    script.notCarried(regulator, 'RegControl', 'minVoltageV', message);
  }
  if (transformer.construction === 'auto') {
    const message = `Regulator ${regulator.name} acts on an autotransformer; OpenDSS controls transformers only, so that the tap is fixed.`;
    script.notCarried(regulator, 'RegControl', 'transformerId', message);
    return;
  }
  script.add(
    newObject('RegControl', script.element('RegControl', regulator), {
      transformer: script.element('Transformer', transformer),
      winding: (place < 0 ? regulator.winding : place) + 1,
      tapwinding: place < 0 ? undefined : regulator.winding + 1,
      vreg: regulator.targetV,
      band: regulator.bandV,
      ptratio: regulator.ptRatio,
      ctprim: regulator.ctPrimaryA > 0 ? regulator.ctPrimaryA : undefined,
      R: hasDrop ? regulator.lineDropRV : undefined,
      X: hasDrop ? regulator.lineDropXV : undefined,
      LDC_Z: hasDrop ? regulator.lineDropZV : undefined,
      bus: isRemote ? script.at({ bus: monitored.bus, nodes: monitored.nodes }) : undefined,
      remotePTRatio: isRemote ? regulator.remotePtRatio : undefined,
      ptphase: regulator.monitoredExtreme ?? (phase > 1 && transformer.phases > 1 ? phase : undefined),
      delay: regulator.initialDelayS,
      tapdelay: regulator.subsequentDelayS,
      inversetime: regulator.isInverseTime ? yesNo(true) : undefined,
      vlimit: (regulator.maxVoltageV ?? 0) > 0 ? regulator.maxVoltageV : undefined,
      maxtapchange: regulator.maxTapChange,
      reversible: regulator.isReversible ? yesNo(true) : undefined,
      revvreg: reverse?.targetV,
      revband: reverse?.bandV,
      revR: reverse?.lineDropRV,
      revX: reverse?.lineDropXV,
      rev_Z: reverse?.lineDropZV,
      revthreshold: reverse === undefined ? undefined : reverse.thresholdW / KILO,
      revdelay: reverse?.delayS,
      revneutral: reverse === undefined ? undefined : yesNo(reverse.isNeutral),
      cogen: reverse === undefined ? undefined : yesNo(reverse.isCogeneration),
      enabled: regulator.isControlEnabled ? undefined : yesNo(false),
    }),
  );
}
