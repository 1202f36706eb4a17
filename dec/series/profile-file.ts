/*
 * Profiles from CSV files, as inputs/profiles has them: a time of day, then columns named after what they scale.
 *
 * A row holds until the next, so that the step that ends at 00:15 follows the row of 00:00. A column whose name begins with
 * `load` scales every load that has no profile of its own, one that begins with `pv` every PV system, one that begins with
 * `price` is looked at by batteries that answer to a price.
 */
import { readFileSync } from 'node:fs';
import { DecError } from '../../grid/math/index.js';
import { buildFeeder, type Feeder, type Finding, type Profile, type ProfileNames } from '../../grid/model/index.js';

/** What a column acts on. */
const ROLES = ['load', 'pv', 'price'] as const;
export type ProfileRole = (typeof ROLES)[number];

/** A column of a file. */
export interface RoleProfile {
  readonly role: ProfileRole;
  readonly profile: Profile;
}

const SECONDS = [3600, 60, 1];
const DAY_S = 86_400;

/**
 * Reads the profiles of a file.
 *
 * @throws DecError `BAD_ARGUMENT` with file and line of what cannot be read
 */
export function readRoleProfiles(path: string): readonly RoleProfile[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DecError('BAD_ARGUMENT', `The file ${path} cannot be read; check the path.`, { file: path }, { cause });
  }
  const rows = text
    .split(/\r?\n/)
    .map((line, i) => ({ cells: line.split(','), line: i + 1, isEmpty: line.trim() === '' }));
  const [header, ...body] = rows.filter(({ isEmpty }) => !isEmpty);
  const wrong = (line: number, reason: string) =>
    new DecError('BAD_ARGUMENT', `${path}:${line}: ${reason}`, { file: path, line });
  if (!header || body.length < 2) throw wrong(1, 'a profile needs a header and at least two rows.');
  const titles = header.cells.map((cell) => cell.trim().toLowerCase());
  const columns = titles.flatMap((title, at) => {
    const role = ROLES.find((one) => title.startsWith(one));
    return role ? [{ role, at, title }] : [];
  });
  if (titles[0] !== 'time' || columns.length === 0) {
    throw wrong(header.line, 'the header must be time and columns whose names begin with load, pv or price.');
  }
  const times = body.map(({ cells, line }) => {
    const seconds = timeOf(cells[0] ?? '');
    if (seconds === undefined) throw wrong(line, `"${cells[0]}" is no time; write 13:45 or 13:45:30.`);
    return seconds;
  });
  const intervalS = times[1]! - times[0]!;
  times.forEach((time, i) => {
    if (time === times[0]! + i * intervalS && intervalS > 0) return;
    throw wrong(body[i]!.line, 'rows must follow one another at equal intervals.');
  });
  if (times[0] !== 0) throw wrong(body[0]!.line, 'the first row must be that of 00:00.');
  const length = body.length * intervalS;
  if (length % DAY_S !== 0) throw wrong(body.at(-1)!.line, 'the rows must fill whole days.');
  return columns.map(({ role, at, title }) => ({
    role,
    profile: {
      name: title,
      intervalS,
      values: body.map(({ cells, line }) => {
        const value = Number(cells[at]);
        if ((cells[at] ?? '').trim() === '' || !Number.isFinite(value)) {
          throw wrong(line, `"${cells[at] ?? ''}" is no number.`);
        }
        return value;
      }),
      isActual: false,
    },
  }));
}

/** Seconds of `13:45`, `13:45:30`, or hours beyond a day. */
function timeOf(text: string): number | undefined {
  const parts = text.trim().split(':');
  if (parts.length < 2 || parts.length > 3 || parts.some((part) => !/^\d+$/.test(part))) return undefined;
  return parts.reduce((sum, part, i) => sum + Number(part) * SECONDS[i]!, 0);
}

/** Whether some device of a feeder follows a profile. */
export function followsProfiles({ loads, pvSystems, batteries, machines }: Feeder): boolean {
  return [...loads, ...pvSystems, ...batteries, ...machines].some(({ profiles }) => profiles !== undefined);
}

/**
 * The feeder with profiles for what has none of its own.
 *
 * @param from - where they come from, for the finding
 */
export function withProfiles(
  feeder: Feeder,
  given: readonly RoleProfile[],
  from: string,
): { readonly feeder: Feeder; readonly findings: readonly Finding[] } {
  const taken = new Set(feeder.profiles.map(({ name }) => name.toLowerCase()));
  const findings: Finding[] = [];
  const names = new Map<ProfileRole, ProfileNames>();
  const added: Profile[] = [];
  for (const { role, profile } of given) {
    let name = profile.name;
    while (taken.has(name)) name = `${name}_file`;
    taken.add(name);
    added.push({ ...profile, name });
    names.set(role, { daily: name });
  }
  const assign = <T extends { readonly profiles?: ProfileNames }>(devices: readonly T[], role: ProfileRole): T[] => {
    const profiles = names.get(role);
    let count = 0;
    const changed = devices.map((device) => {
      if (!profiles || device.profiles) return device;
      count++;
      return { ...device, profiles };
    });
    if (count > 0) {
      findings.push({
        severity: 'info',
        code: 'PROFILE_ASSIGNED',
        message: `${count} ${role === 'load' ? 'loads' : role === 'pv' ? 'PV systems' : 'batteries'} without a profile of their own follow ${profiles?.daily} of ${from}.`,
        count,
      });
    }
    return changed;
  };
  const priced = feeder.batteries.filter(({ cell }) => cell?.dispatch === 'price');
  const withPrice = new Map(assign(priced, 'price').map((battery) => [battery.id, battery]));
  const next = buildFeeder(
    {
      ...feeder,
      loads: assign(feeder.loads, 'load'),
      pvSystems: assign(feeder.pvSystems, 'pv'),
      batteries: feeder.batteries.map((battery) => withPrice.get(battery.id) ?? battery),
      profiles: [...feeder.profiles, ...added],
    },
    feeder.findings,
  );
  return { feeder: next, findings };
}
