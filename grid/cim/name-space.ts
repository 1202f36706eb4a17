import type { CimIndex } from './object-index.js';

/** The name space of RDF. */
export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** Name spaces of CIM in all its versions and extensions. */
const CIM_SPACE = /CIM|TC57/i;

/** Whether a name space is one of CIM's. */
export function isCimSpace(space: string): boolean {
  return CIM_SPACE.test(space);
}

/** Where a name space tells its version, and the versions whose classes and attributes the reader knows. */
const VERSION = /(?:\/CIM|schema-cim)(\d+)/i;
const KNOWN_VERSIONS: ReadonlySet<string> = new Set(['14', '15', '16', '17', '18', '100']);

/** Names the versions of CIM that the reader does not know. */
export function nameUnknownVersions(index: CimIndex): void {
  for (const space of index.namespaces) {
    const version = VERSION.exec(space)?.[1];
    if (version === undefined || KNOWN_VERSIONS.has(version)) continue;
    index.findings.push({
      severity: 'warning',
      code: 'UNKNOWN_NAMESPACE',
      message: `The name space ${space} is of CIM${version}, a version that is not known; it is read as CIM100.`,
      value: space,
      allowed: 'http://iec.ch/TC57/CIM100#',
      ...(index.files[0] === undefined ? {} : { file: index.files[0] }),
    });
  }
}

/** Whether a name space is neither RDF's nor one of CIM's. */
export function isForeign(space: string): boolean {
  return space !== RDF && !CIM_SPACE.test(space);
}

/** Counts elements of name spaces that are neither CIM's nor RDF's; only local names count, so they are read all the same. */
export class ForeignSpaces {
  readonly #bySpace = new Map<string, { readonly first: string; readonly line: number; count: number }>();

  /** Counts an element. */
  add(space: string, name: string, line: number): void {
    const known = this.#bySpace.get(space);
    if (known) known.count++;
    else this.#bySpace.set(space, { first: name, line, count: 1 });
  }

  /** Makes a finding of each name space. */
  report(index: CimIndex, fileName: string): void {
    for (const [space, { first, line, count }] of this.#bySpace) {
      const where = space === '' ? 'no name space' : `the name space ${space}`;
      index.findings.push({
        severity: 'warning',
        code: 'UNKNOWN_NAMESPACE',
        message: `${count} elements, ${first} first, are of ${where}, which is not CIM's; they are read by their local names.`,
        value: space === '' ? first : space,
        allowed: 'http://iec.ch/TC57/CIM100#',
        file: fileName,
        line,
        count,
      });
    }
  }
}
