import type { Feeder, Generation, Terminal } from '../../grid/model/index.js';
import { phasesOf } from '../cim-dictionary.js';
import type { LoadedModel } from '../loaded-model.js';

/** Lists of switching devices by class. */
const SWITCH_LISTS: Readonly<Record<string, string>> = {
  LoadBreakSwitch: 'switches',
  Switch: 'switches',
  Fuse: 'fuses',
  Breaker: 'breakers',
  Recloser: 'reclosers',
  Sectionaliser: 'sectionalisers',
  Jumper: 'jumpers',
  Disconnector: 'disconnectors',
};
const LISTS = ['switches', 'fuses', 'breakers', 'reclosers', 'sectionalisers', 'jumpers', 'disconnectors'] as const;

/**
 * Answer to "GridLAB-D Symbols": what a viewer draws, with coordinates as the source has them; without any they are 0, as
 * on the real platform.
 */
export function symbolsExport(model: LoadedModel): { readonly feeders: readonly unknown[] } {
  const { feeder, name, mrid } = model;
  const { container } = feeder;
  const at = (terminal: Terminal) => {
    const bus = feeder.busById.get(terminal.bus);
    return { name: model.index.get(terminal.bus)?.name || (bus?.name ?? ''), x: bus?.x ?? 0, y: bus?.y ?? 0 };
  };
  const atOne = (terminal: Terminal) => ({ x1: at(terminal).x, y1: at(terminal).y });
  const between = (from: Terminal, to: Terminal) => {
    const [one, two] = [at(from), at(to)];
    return {
      from: one.name,
      to: two.name,
      phases: phasesOf(feeder, from),
      x1: one.x,
      y1: one.y,
      x2: two.x,
      y2: two.y,
    };
  };
  const unit = (one: Generation) => ({
    name: one.name,
    parent: at(one.terminal).name,
    phases: phasesOf(feeder, one.terminal),
    kva: one.ratedPowerVA / 1000,
    ...atOne(one.terminal),
  });
  const switches = (list: string) =>
    feeder.switches
      .filter(({ switchClass }) => (SWITCH_LISTS[switchClass] ?? 'switches') === list)
      .map((device) => ({
        name: device.name,
        ...between(device.from, device.to),
        open: String(device.isOpen.every(Boolean)),
      }));
  const regulated = new Set(feeder.regulators.map(({ transformerId }) => transformerId));
  const transformers = feeder.transformers.map((transformer) => {
    const [first, second] = transformer.windings;
    return {
      isRegulator: regulated.has(transformer.id),
      entry: {
        name: transformer.name,
        ...between(first!.terminal, (second ?? first!).terminal),
        configuration: transformer.vectorGroup ?? '',
      },
    };
  });
  return {
    feeders: [
      {
        name,
        mRID: mrid,
        substation: container.substationName,
        substationID: container.substationMrid,
        subregion: container.subRegionName,
        subregionID: container.subRegionMrid,
        region: container.regionName,
        regionID: container.regionMrid,
        swing_nodes: feeder.sources.map((source) => ({
          name: source.name,
          bus: at(source.terminal).name,
          phases: phasesOf(feeder, source.terminal),
          nominal_voltage: source.nominalVoltageV,
          ...atOne(source.terminal),
        })),
        synchronousmachines: feeder.machines.map(unit),
        capacitors: feeder.capacitors.map((capacitor) => ({
          name: capacitor.name,
          parent: at(capacitor.terminal).name,
          phases: phasesOf(feeder, capacitor.terminal),
          ...capacitorKvar(feeder, capacitor.id),
          ...atOne(capacitor.terminal),
        })),
        solarpanels: feeder.pvSystems.map(unit),
        batteries: feeder.batteries.map(unit),
        ...Object.fromEntries(LISTS.map((list) => [list, switches(list)])),
        overhead_lines: feeder.lines.map((line) => ({
          name: line.name,
          ...between(line.from, line.to),
          length: line.lengthM,
          configuration: '',
        })),
        transformers: transformers.filter(({ isRegulator }) => !isRegulator).map(({ entry }) => entry),
        regulators: transformers.filter(({ isRegulator }) => isRegulator).map(({ entry }) => entry),
        reactors: feeder.reactors.map((reactor) => ({ name: reactor.name, ...between(reactor.from, reactor.to) })),
      },
    ],
  };
}

function capacitorKvar(feeder: Feeder, id: string): Readonly<Record<string, number>> {
  const capacitor = feeder.capacitors.find((one) => one.id === id);
  const kvar = (node: number): number =>
    (capacitor?.shares ?? [])
      .filter((share) => share.node === node)
      .reduce((sum, { powerVar }) => sum + (powerVar * (capacitor?.sectionCount ?? 1)) / 1000, 0);
  return { kvar_A: kvar(1), kvar_B: kvar(2), kvar_C: kvar(3) };
}
