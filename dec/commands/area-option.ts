import type { Command } from 'commander';
import { DecError } from '../../grid/math/index.js';
import type { AreaMembers } from '../../grid/optim/index.js';

/** Adds `--areas`. @param needs - what else must be given, in words */
export function withAreaOption(command: Command, needs?: string): Command {
  const how = 'auto (cut at switches), a number, or a file with names of switches and lines';
  return command.option(
    '--areas <how>',
    `areas between agents and the coordinator: ${how}${needs === undefined ? '' : `; ${needs}`}`,
  );
}

/**
 * @param option - the one that lets agents or areas decide
 * @param isPlanned - whether a job over time, or one that looks for limits, is asked for as well
 * @throws DecError `BAD_ARGUMENT` where there are no agents that areas could be of
 */
export function checkOneHand(option: '--agents' | '--areas', isPlanned: boolean): void {
  if (!isPlanned) return;
  throw new DecError('BAD_ARGUMENT', `Horizons and envelopes are solved in one hand; leave out ${option}.`);
}

/** Areas that a summary names. */
const NAMED_AREAS = 6;

/** Areas that have agents, for people. */
export function areasText(areas: readonly AreaMembers[]): string {
  const named = areas.slice(0, NAMED_AREAS).map(({ name, agents }) => `${name} (${agents})`);
  const more = areas.length > NAMED_AREAS ? [`${areas.length - NAMED_AREAS} more`] : [];
  return `${areas.length} areas: ${[...named, ...more].join(', ')}`;
}
