import type { CimIndex } from './object-index.js';

/** The name space of RDF. */
export const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** Name spaces of CIM in all its versions and extensions. */
const CIM_SPACE = /CIM|TC57/i;

/** Whether a name space is one of CIM's. */
export function isCimSpace(space: string): boolean {
  return CIM_SPACE.test(space);
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
