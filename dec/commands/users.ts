import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { formatUsers, hashPassword, parseUsers } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';

interface AddUserOptions extends OutputOptions {
  readonly roles?: readonly string[];
  readonly send?: readonly string[];
  readonly subscribe?: readonly string[];
}

/** Shortest password that is taken. */
const PASSWORD_MIN = 8;

/** Roles of a new user, as those of GridAPPS-D's own. */
const DEFAULT_ROLES = ['user', 'application'];

/** Adds `dec users`. */
export function addUsers(program: Command): void {
  const users = program.command('users').description('write the file of users of dec platform --users');
  users
    .command('add')
    .description(
      'add a user, or give it a new password and keep what is not named anew; the password comes from standard input or DEC_PASSWORD',
    )
    .argument('<file>', 'file of users, made when it is not there')
    .argument('<name>', 'name of the user')
    .option('--roles <role...>', 'roles, as on GridAPPS-D; a new user without has user and application')
    .option('--send <pattern...>', 'destinations it may send to; a new user without may send to all')
    .option('--subscribe <pattern...>', 'destinations it may subscribe to; a new user without may subscribe to all')
    .option('--json', 'print the name as a JSON object')
    .option('--quiet', 'no notices')
    .addHelpText(
      'after',
      "\nExample:\n  dec users add users.json viz --send 'requests.>' --subscribe '/topic/readings.>'",
    )
    .action(async (file: string, name: string, options: AddUserOptions) => {
      process.exitCode = await addUser(file, name, options);
    });
}

async function addUser(file: string, name: string, options: AddUserOptions): Promise<number> {
  const terminal = new Terminal(options);
  const known = existsSync(file) ? parseUsers(readFileSync(file, 'utf8'), file) : {};
  const password = process.env['DEC_PASSWORD'] ?? (await passwordFromInput());
  if (password.length < PASSWORD_MIN) {
    throw new DecError('BAD_ARGUMENT', `A password has at least ${PASSWORD_MIN} characters.`, {});
  }
  refuseBadName(name);
  const before = Object.hasOwn(known, name) ? known[name] : undefined;
  const { roles = before?.roles ?? DEFAULT_ROLES, send = before?.send, subscribe = before?.subscribe } = options;
  for (const role of roles) {
    if (/^[^\s,]+$/.test(role)) continue;
    const message = `"${role}" is no role: give roles one by one (--roles user operator).`;
    throw new DecError('BAD_ARGUMENT', message, { role });
  }
  const user = {
    password: await hashPassword(password),
    roles,
    ...(send === undefined ? {} : { send }),
    ...(subscribe === undefined ? {} : { subscribe }),
  };
  const text = formatUsers({ ...known, [name]: user });
  parseUsers(text, file);
  // Readable by its owner alone, and never half written.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
  terminal.note(`${name} ${Object.hasOwn(known, name) ? 'has a new password' : 'was added'} in ${file}.`);
  if (terminal.isJson) terminal.result({ user: name, file });
  return EXIT.done;
}

/** @throws DecError `BAD_ARGUMENT` for a name that a login cannot carry: tokens are asked for as `user:password` */
function refuseBadName(name: string): void {
  if (/^[^\s:]+$/.test(name) && name !== '__proto__') return;
  const message = `"${name}" is no name of a user: it has no space and no colon, and is not __proto__.`;
  throw new DecError('BAD_ARGUMENT', message, { name });
}

/** The first line of standard input. */
async function passwordFromInput(): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    if (process.stdin.isTTY) return await lines.question('Password: ');
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
  }
}
