import { dirname, join } from 'node:path';
import type { SeriesMode } from '../../grid/flow/index.js';
import type { Feeder, Finding } from '../../grid/model/index.js';
import { flagshipPath } from '../../platform/index.js';
import { followsProfiles, readRoleProfiles, withProfiles } from './profile-file.js';

/** The project's own profiles that loads and PV systems may follow. */
const OWN_PROFILES = ['load.csv', 'pv.csv'];

/** A feeder whose devices have profiles, as far as there are any. */
export interface ProfiledFeeder {
  readonly feeder: Feeder;
  readonly findings: readonly Finding[];
  /** True when the project's own profiles were taken. */
  readonly isOwn: boolean;
}

/**
 * Gives devices without a profile those of the files. When no file is given and none of the devices has a profile, a CIM
 * feeder follows the project's own, because CIM has none; an OpenDSS script says by that that its powers do not change.
 */
export function profiledFeeder(
  feeder: Feeder,
  mode: SeriesMode,
  files: readonly string[],
  isScript: boolean,
): ProfiledFeeder {
  if (mode === 'snapshot') return { feeder, findings: [], isOwn: false };
  let profiled = feeder;
  const findings: Finding[] = [];
  for (const file of files) {
    const next = withProfiles(profiled, readRoleProfiles(file), file);
    profiled = next.feeder;
    findings.push(...next.findings);
  }
  if (files.length > 0 || followsProfiles(feeder)) return { feeder: profiled, findings, isOwn: false };
  if (isScript) {
    findings.push({
      severity: 'warning',
      code: 'NO_PROFILE',
      message: `Nothing in ${feeder.name} follows a profile: all steps have the powers of the model. Give profiles with --profiles.`,
      name: feeder.name,
    });
    return { feeder, findings, isOwn: false };
  }
  const folder = join(dirname(flagshipPath()), '..', 'profiles');
  for (const name of OWN_PROFILES) {
    const next = withProfiles(profiled, readRoleProfiles(join(folder, name)), `the project's own profiles (${name})`);
    profiled = next.feeder;
    findings.push(...next.findings);
  }
  return { feeder: profiled, findings, isOwn: true };
}
