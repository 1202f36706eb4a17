import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { formatUsers, hashPassword, parseUsers } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';

interface AddUserOptions extends OutputOptions {
  readonly roles: readonly string[];
  readonly send?: readonly string[];
  readonly subscribe?: readonly string[];
}

/** Shortest password that is taken. */
const PASSWORD_MIN = 8;

/** Adds `dec users`. */
export function addUsers(program: Command): void {
  const users = program.command('users').description('write the file of users of dec platform --users');
  users
    .command('add')
    .description('add a user, or give it a new password; the password comes from standard input or DEC_PASSWORD')
    .argument('<file>', 'file of users, made when it is not there')
    .argument('<name>', 'name of the user')
    .option('--roles <role...>', 'roles, as on GridAPPS-D', ['user', 'application'])
    .option('--send <pattern...>', 'destinations it may send to; all when absent')
    .option('--subscribe <pattern...>', 'destinations it may subscribe to; all when absent')
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
  const { roles, send, subscribe } = options;
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
