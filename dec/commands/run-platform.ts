import { DecError } from '../../grid/math/index.js';

/** Options of `dec run` that say what is behind the broker. */
export interface PlatformChoice {
  readonly platform: 'own' | 'real';
  readonly broker?: unknown;
  readonly token?: boolean;
}

/** What `dec platform` adds to a simulation, by the option's name in code; a real platform makes its own. */
const OWN_SCENARIO = ['pvMultiplier', 'sourceVoltage', 'loadProfile', 'pvProfile'] as const;

/** @throws DecError `BAD_ARGUMENT` for options that a real platform would not follow */
export function checkPlatform(
  { platform, broker, token }: PlatformChoice,
  isOnLine: (option: string) => boolean,
): void {
  if (platform === 'own' && !(token && broker === undefined)) return;
  if (broker === undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      `${token ? '--token' : '--platform real'} needs the broker of the platform: --broker.`,
    );
  }
  const given = OWN_SCENARIO.find(isOnLine);
  if (platform === 'own' || given === undefined) return;
  const option = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new DecError('BAD_ARGUMENT', `${option}: a real platform takes that from its model; leave it out.`, { option });
}
