import type { PowerFlowSettings } from '../grid/flow/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid, type Finding, validateFeeder } from '../grid/model/index.js';
import { defaultStoreDir, type LoadedModel, loadModels, type ModelStore, openModelStore } from '../platform/index.js';
import { findingLine } from './terminal.js';

/** Opens the model store that `--store` names, or the user's own; `files` are known to it without being stored. */
export function storeAt(dir: string | undefined, files: readonly string[] = []): ModelStore {
  return openModelStore(dir ?? defaultStoreDir(), { files });
}

/**
 * The model behind FEEDER: a name, an mRID in any spelling, one file (CIM or an OpenDSS master), or several CIM
 * profiles of one model.
 *
 * @throws DecError `FEEDER_UNKNOWN` with the known feeders; `XML_MALFORMED`, `FEEDER_DATA` of the reader
 */
export function modelOf(feeder: readonly string[], store: ModelStore): LoadedModel {
  const [first, ...rest] = feeder;
  if (first === undefined)
    throw new DecError('BAD_ARGUMENT', 'Name a feeder: a name, an mRID, a CIM file or an OpenDSS master file.');
  if (rest.length === 0) return store.find(first);
  const models = loadModels(feeder);
  if (models.length > 1) {
    const names = models.map(({ name, mrid }) => `${name} ${mrid}`);
    throw new DecError(
      'BAD_ARGUMENT',
      `The files hold several feeders (${names.join(', ')}); ingest them and name one by its mRID.`,
      { known: names },
    );
  }
  return models[0]!;
}

/** Says that a file holds several feeders of which the first is used; nothing when there is one, or one was named. */
export function siblingFindings(feeder: readonly string[], model: LoadedModel): readonly Finding[] {
  const isFile = feeder.length > 1 || (feeder[0] !== undefined && model.files.includes(feeder[0]));
  if (!isFile || model.siblings.length < 2) return [];
  const others = model.siblings.filter((id) => id !== canonicalMrid(model.mrid));
  return [
    {
      severity: 'warning',
      code: 'SEVERAL_FEEDERS',
      message: `The file holds ${model.siblings.length} feeders; ${model.name} is used. For another (${others.join(', ')}), ingest the file and give the mRID.`,
      mrid: model.mrid,
      name: model.name,
      count: model.siblings.length,
    },
  ];
}

/**
 * Passes and iterations that a script asks for, where they are more than those given: fewer would only stop a solution that
 * is as good as found.
 */
export function scriptedLimits(
  { study }: LoadedModel,
  { maxIterations, maxControlPasses }: Pick<PowerFlowSettings, 'maxIterations' | 'maxControlPasses'>,
): Pick<PowerFlowSettings, 'maxIterations' | 'maxControlPasses'> {
  return {
    maxIterations: Math.max(maxIterations, Math.round(study?.maxIterations ?? 0)),
    maxControlPasses: Math.max(maxControlPasses, Math.round(study?.maxControlIterations ?? 0)),
  };
}

/** How grave a load on an unfed phase is where power flows: dead wires of an OpenDSS script are solved as such. */
export const unfedPhaseOf = ({ study }: LoadedModel): 'error' | 'warning' => (study ? 'warning' : 'error');

/**
 * Everything validation says of a feeder, after the reader's own findings.
 *
 * @param places - where the elements stand, for findings that name an element and no line
 * @param unfedPhase - see {@link validateFeeder}, as `purpose`
 * @throws DecError `FEEDER_DATA` (or `NO_SOURCE`) listing every error and every warning at once when there is an error
 */
export function validated(
  { feeder, places }: Pick<LoadedModel, 'feeder' | 'places'>,
  unfedPhase?: 'error' | 'warning',
  purpose?: 'coordination' | 'powerFlow',
): readonly Finding[] {
  const findings = placed(validateFeeder(feeder, unfedPhase, purpose), places);
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return findings;
  const isSourceless = errors.some(({ code }) => code === 'NO_SOURCE');
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  // What was only a warning is often why something is missing.
  const beside = warnings.length === 0 ? [] : [`${counted(warnings.length, 'warning')} beside:`, ...listed(warnings)];
  const lines = [
    `The feeder ${feeder.name} cannot be used: ${counted(errors.length, 'error')}.`,
    ...listed(errors),
    ...beside,
    'Mend the model and try again.',
  ];
  throw new DecError(isSourceless ? 'NO_SOURCE' : 'FEEDER_DATA', lines.join('\n'), {
    feeder: feeder.name,
    errors: errors.length,
    warnings: warnings.length,
  });
}

/** The findings, each at the line of what it names where the model knows it. */
export function placed(findings: readonly Finding[], places: LoadedModel['places']): readonly Finding[] {
  if (!places) return findings;
  return findings.map((finding) => {
    const at = finding.file === undefined ? places.get(finding.mrid ?? '') : undefined;
    return at ? { ...finding, ...at } : finding;
  });
}

/** Lines of an error that are shown of one kind. */
const SHOWN = 40;

function listed(findings: readonly Finding[]): string[] {
  const lines = findings.slice(0, SHOWN).map((finding) => `  ${findingLine(finding)}`);
  if (findings.length > lines.length) lines.push(`  ... and ${findings.length - lines.length} more`);
  return lines;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
