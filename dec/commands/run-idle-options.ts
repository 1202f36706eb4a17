import { DecError } from '../../grid/math/index.js';

/** What decides whether an option of `dec run` has something to act on. */
interface RunChoices {
  readonly broker?: unknown;
  readonly horizon?: unknown;
  readonly hosts: number;
  readonly externalHosts: number;
  readonly fairness: string;
  readonly compare?: boolean;
}

/** Options that nothing looks at beside others, by their names in code. */
const IDLE: readonly {
  readonly options: readonly string[];
  readonly isIdle: (choices: RunChoices) => boolean;
  readonly because: string;
}[] = [
  {
    options: ['port'],
    isIdle: ({ broker }) => broker !== undefined,
    because: 'with --broker, whose platform has a port of its own',
  },
  {
    options: ['takeover', 'allowControl'],
    isIdle: ({ broker }) => broker === undefined,
    because: 'without --broker: the platform is started by this run and lives as long',
  },
  {
    options: ['hosts', 'externalHosts', 'agentModule', 'lostAfter', 'level', 'weights'],
    isIdle: ({ horizon }) => horizon !== undefined,
    because: 'with --horizon: plans are made in one hand, by customer and capacity, and there are no agents',
  },
  {
    options: ['agentModule'],
    isIdle: ({ horizon, hosts }) => horizon === undefined && hosts === 0,
    because: 'with --hosts 0: give it to dec agents, whose hosts there are',
  },
  {
    options: ['feedback'],
    isIdle: ({ fairness, compare }) => fairness !== 'feedback' && compare !== true,
    because: 'without --fairness feedback',
  },
];

/**
 * @param isOnLine - whether an option stands on the command line itself, by its name in code
 * @throws DecError `BAD_ARGUMENT` naming all options on the command line that nothing would look at
 */
export function checkIdle(choices: RunChoices, isOnLine: (option: string) => boolean): void {
  // No hosts is what a plan over a horizon has.
  const isNone = (name: string) =>
    (name === 'hosts' && choices.hosts === 0) || (name === 'externalHosts' && choices.externalHosts === 0);
  const idle = IDLE.filter(({ isIdle }) => isIdle(choices)).flatMap(({ options, because }) => {
    const given = options.filter((name) => isOnLine(name) && !isNone(name)).map(optionText);
    return given.length === 0 ? [] : [`${given.join(', ')} would have no effect ${because}`];
  });
  if (idle.length > 0) throw new DecError('BAD_ARGUMENT', `${idle.join('; ')}. Leave that out.`);
}

function optionText(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name === 'takeover' ? '--no-takeover' : `--${words}`;
}
