import { buildFeeder, type Feeder, type Load } from '../../grid/model/index.js';
import { FeederBuilder } from './feeder.js';

/** A feeder of 12.47 kV with one of every kind of device, and names and numbers that are hard to write down. */
export function allKinds(): Feeder {
  const r = [[0.3], [0.1, 0.31], [0.09, 0.1, 0.32]];
  const x = [[0.8], [0.3, 0.81], [0.28, 0.3, 0.82]];
  const b = [[4], [-1, 4.2], [-0.5, -1, 4.1]];
  const builder = new FeederBuilder('Änger & Söhne = 12.47 kV')
    .source('grid', 'head', { kv: 12.47, pu: 1.02, angleDeg: 30, z1: [0.1, 0.9], z0: [0.2, 1.1] })
    .transformer('reg.1', {
      windings: [
        { bus: 'head', kv: 12.47, kva: 9000, resistancePct: 0.1 },
        { bus: 'out(1)', kv: 12.47, kva: 9000, resistancePct: 0.1 },
      ],
      reactancesPct: [1],
      noLoadLossPct: 0.1,
      magnetisingPct: 0.4,
    })
    .regulator('reg.1', 'reg.1', { targetV: 122, bandV: 2, ptRatio: 60, position: 3 })
    .line('trunk one', 'out(1)', 'a', { r, x, bMicroSiemens: b, length: 1.5, lengthM: 1500, ratingA: 400 })
    .line('Trunk_One', 'a', 'b', { r, x, bMicroSiemens: b, length: 0.7 })
    .line('half open', 'b', 'far', {
      ...{ r, x, bMicroSiemens: b, length: 0.7 },
      isOpen: { from: [false, false, false], to: [true, true, true] },
    })
    .switch('tie', 'b', 'c')
    .switch('open one', 'c', 'd', { isOpen: [false, true, false] })
    .reactor('series', 'c', { to: 'e', ohm: [0.05, 0.4] })
    .reactor('shunt', 'e', { ohm: [2, 900] })
    .reactor('delta', 'e', { ohm: [3, 2500], connection: 'delta' })
    .transformer('step down', {
      windings: [
        { bus: 'c', kv: 12.47, kva: 500, connection: 'delta', resistancePct: 0.5 },
        { bus: 'lv', kv: 0.48, kva: 500, resistancePct: 0.5, tapRatio: 0.975, groundOhm: { r: 0.1, x: 0.4 } },
        { bus: 'tert', kv: 2.4, kva: 100, connection: 'delta', resistancePct: 0.9 },
      ],
      reactancesPct: [4, 6, 2.5],
      noLoadLossPct: 0.2,
      magnetisingPct: 0.6,
      isDeltaLeading: true,
    })
    .transformer('service', {
      phases: 1,
      construction: 'centerTap',
      windings: [
        { bus: 'b', nodes: [1, 0], kv: 7.2, kva: 50, resistancePct: 0.6 },
        { bus: 'house', nodes: [1, 0], kv: 0.12, kva: 50, resistancePct: 1.2 },
        { bus: 'house', nodes: [0, 2], kv: 0.12, kva: 50, resistancePct: 1.2 },
      ],
      reactancesPct: [2.04, 2.04, 1.36],
    })
    .capacitor('bank', 'e', { kvar: 300 })
    .capacitor('stepped', 'b', {
      ...{ kvar: 400, sectionCount: 4, sectionsOn: 2 },
      control: {
        ...{ mrid: '', mode: 'voltage', isEnabled: true, target: 7250, deadband: 700, delayS: 30 },
        monitoredTerminal: 1,
      },
    })
    .capacitor('one phase', 'a', { kvar: 50, phases: 'B' })
    .capacitor('delta bank', 'a', { kvar: 90, connection: 'delta' })
    .load('constant', 'c', { kw: 300, kvar: 120 })
    .load('impedance', 'e', { kw: 90, kvar: 30, model: 'z' })
    .load('current', 'e', { kw: 60, kvar: 30, model: 'i', connection: 'delta' })
    .load('mixture', 'b', { kw: 80, kvar: 20, phases: 'C', model: { z: 0.3, i: 0.3, p: 0.4 } })
    .load('low window', 'lv', { kw: 120, kvar: 40, minPu: 0.8, maxPu: 1.2 })
    .load('line to line', 'a', { kw: 40, kvar: 10, phases: 'AC', connection: 'delta' })
    .load('leg', 'house', { kw: 6, kvar: 1, phases: 's1' })
    .load('both legs', 'house', { kw: 9, kvar: 2, phases: 's1s2' })
    .load('tertiary', 'tert', { kw: 20, kvar: 5, connection: 'delta' })
    .load('open phase', 'd', { kw: 33, kvar: 11 })
    .pv('roof', 'house', { kw: 5, phases: 's1s2', kva: 6, maxKw: 7 })
    .pv('field', 'e', { kw: 150, kvar: -20, kva: 200 })
    .pv('beyond its rating', 'e', { kw: 15, kva: 10 })
    .battery('giving', 'lv', { kw: 40, kvar: 5, kva: 50 })
    .battery('taking', 'lv', { kw: -20, kva: 50 })
    .battery('idle', 'house', { kw: 0, phases: 's1', kva: 5 })
    .machine('diesel', 'lv', { kw: 60, kvar: 25 });
  const data = builder.data();
  const own = (name: string, change: (load: Load) => Load) => (load: Load) =>
    load.name === name ? change(load) : load;
  const loads = data.loads
    .map(own('constant', (load) => ({ ...load, model: 1, customerCount: 12 })))
    .map(own('open phase', (load) => ({ ...load, zipQ: { z: 1, i: 0, p: 0 }, model: 3 })))
    .map(own('tertiary', (load) => ({ ...load, voltageExponents: { p: 0.8, q: 1.9 }, model: 4 })))
    .map(
      own('low window', (load) => ({
        ...load,
        shares: load.shares.map((share, k) => ({ ...share, powerW: share.powerW * (1 + 0.1 * k) })),
      })),
    );
  return buildFeeder({ ...data, loads });
}
