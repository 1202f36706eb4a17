import { DssFileSet, type DssObject, type DssScript, readDssScript } from '../../../../grid/dss/index.js';

/** The head of every script of these tests. */
export const HEAD = 'clear\nnew circuit.test\nnew line.a bus1=b1 bus2=b2\n';

/** Reads a script of lines behind a circuit with one line `a`, with further files by path. */
export function read(lines: string, files: Readonly<Record<string, string | Uint8Array>> = {}): DssScript {
  return readDssScript('master.dss', new DssFileSet([['master.dss', HEAD + lines], ...Object.entries(files)]));
}

/** The last value of each property of an object, as text. */
export function values(object: DssObject | undefined): Record<string, string> {
  return Object.fromEntries((object?.assignments ?? []).map(({ property, value }) => [property, value.text]));
}

/** The properties of line `a` after some lines behind its definition. */
export function lineA(
  lines: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Record<string, string> {
  return values(read(lines, files).find('line', 'a'));
}

/** Codes of the findings that change results. */
export function codes(script: DssScript): string[] {
  return script.findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code);
}
