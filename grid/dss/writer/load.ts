/**
 * Loads. Constant power, impedance and current are models 1, 2 and 5, quadratic vars model 3, exponents model 4, any other
 * mixture the ZIPV coefficients of model 8.
 */
import type { Load, ZipShares } from '../../model/index.js';
import { list, newObject, type Properties } from './command.js';
import type { DssScriptText } from './script.js';
import { shareGroups } from './share-group.js';

function isPure(shares: ZipShares, part: keyof ZipShares): boolean {
  return shares[part] === 1 && shares.z + shares.i + shares.p === 1;
}

/** The load model and its coefficients. */
function law(load: Load): Properties {
  const { zipP, zipQ, voltageExponents: exponents } = load;
  const both = (part: keyof ZipShares) => isPure(zipP, part) && isPure(zipQ, part);
  if (exponents && both('p')) return { model: 4, CVRwatts: exponents.p, CVRvars: exponents.q };
  if (both('p')) return { model: load.model === 6 ? 6 : 1 };
  if (both('z')) return { model: 2 };
  if (both('i')) return { model: 5 };
  if (isPure(zipP, 'p') && isPure(zipQ, 'z')) return { model: load.model === 7 ? 7 : 3 };
  const cutoff = load.cutoffVoltagePu ?? 0;
  return { model: 8, zipv: list([zipP.z, zipP.i, zipP.p, zipQ.z, zipQ.i, zipQ.p, cutoff]) };
}

/** A load as one element, or as one for each share where the shares differ. */
export function writeLoad(script: DssScriptText, load: Load): void {
  const name = script.element('Load', load);
  const shape = law(load);
  if (load.voltageExponents && shape['model'] !== 4) {
    const message = `Load ${load.name} has exponents beside impedance and current shares; OpenDSS has one or the other, the exponents are left out.`;
    script.notCarried(load, 'Load', 'voltageExponents', message);
  }
  if (load.isReactiveFixed && shape['model'] !== 6 && shape['model'] !== 7) {
    const message = `The reactive power of load ${load.name} will follow multipliers; only models 6 and 7 of OpenDSS keep it.`;
    script.notCarried(load, 'Load', 'isReactiveFixed', message);
  }
  const shared = {
    ...shape,
    vminpu: load.minVoltagePu,
    vmaxpu: load.maxVoltagePu,
    vlowpu: load.lowVoltagePu,
    status: load.scaling === undefined || load.scaling === 'variable' ? undefined : load.scaling,
    numcust: load.customerCount > 1 ? load.customerCount : undefined,
    growth:
      load.growth === undefined ? undefined : script.names.name('GrowthShape', load.growth.toLowerCase(), load.growth),
    CVRcurve:
      load.exponentProfile === undefined
        ? undefined
        : script.names.name('LoadShape', load.exponentProfile.toLowerCase(), load.exponentProfile),
  };
  for (const group of shareGroups(load.shares)) {
    script.add(
      newObject(
        'Load',
        group.suffix === '' ? name : script.names.name('Load', load.id + group.suffix, name + group.suffix),
        {
          bus1: script.at({ bus: load.terminal.bus, nodes: group.nodes }),
          phases: group.phases,
          conn: group.connection === 'delta' ? 'delta' : undefined,
          kv: group.kv,
          // A shape of actual powers sets kW when it is read: what follows it holds.
          ...script.profiles(load.profiles),
          kw: group.powerW / 1000,
          kvar: load.powerFactor === undefined ? group.powerVar / 1000 : undefined,
          pf: load.powerFactor,
          ...shared,
        },
      ),
    );
  }
}
