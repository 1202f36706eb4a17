import type { DssAssignment, DssObject, DssPlace } from './script.js';

/** An object while the script is being read. */
export interface OpenObject extends DssObject {
  readonly assignments: DssAssignment[];
}

/** What `like` leaves out in every class: the connections belong to each element itself, and so does its state. */
const NEVER_COPIED: ReadonlySet<string> = new Set(['bus1', 'bus2', 'buses', 'enabled', 'like']);
/** What `like` leaves out besides, by class. */
const NOT_COPIED: Readonly<Record<string, readonly string[]>> = {
  autotrans: ['bus'],
  expcontrol: ['derlist', 'pvsystemlist'],
  gictransformer: ['bush', 'busnh', 'busx', 'busnx'],
  invcontrol: ['derlist', 'pvsystemlist', 'monbus', 'monbusesvbase'],
  line: ['units'],
  linecode: ['units'],
  sensor: ['kvs', 'currents', 'kws', 'kvars'],
  storagecontroller: ['elementlist', 'weights'],
  transformer: ['bus', 'sub', 'subname', '%imag', 'leadlag', 'ppm_antifloat'],
};
/** Devices of which a copy counts its conductors anew, see circuit/device-place.ts. */
const DEVICES: ReadonlySet<string> = new Set(['load', 'generator', 'pvsystem', 'storage']);
/** Classes whose active winding is the first again after `like`. */
const WITH_WINDINGS: ReadonlySet<string> = new Set(['autotrans', 'transformer', 'xfmrcode']);

/** The objects of a circuit by class and name, in order of definition. */
export class ObjectStore {
  readonly objects: OpenObject[] = [];
  readonly #byClass = new Map<string, OpenObject[]>();
  readonly #byName = new Map<string, OpenObject>();

  /** Adds an object; of several with one name, the first is found by name, as in OpenDSS. */
  add(className: string, displayName: string, at: DssPlace, order: number, isBuiltIn = false): OpenObject {
    const name = displayName.toLowerCase();
    const object: OpenObject = { className, name, displayName, assignments: [], at, order, isBuiltIn };
    this.objects.push(object);
    const list = this.#byClass.get(className);
    if (list) list.push(object);
    else this.#byClass.set(className, [object]);
    const key = `${className}.${name}`;
    if (!this.#byName.has(key)) this.#byName.set(key, object);
    return object;
  }

  /** The first object of that name. @param className - as the property tables have it */
  find(className: string, name: string): OpenObject | undefined {
    return this.#byName.get(`${className}.${name.toLowerCase()}`);
  }

  /** @param className - as the property tables have it */
  byClass(className: string): readonly OpenObject[] {
    return this.#byClass.get(className) ?? [];
  }
}

/** The assignments that `like` copies from a pattern, in their order. */
export function copiedAssignments(pattern: DssObject, at: DssPlace, directory: string): DssAssignment[] {
  const { className } = pattern;
  const left = Object.hasOwn(NOT_COPIED, className) ? NOT_COPIED[className]! : [];
  const isLineCode = className === 'linecode';
  const copied = pattern.assignments.filter(
    ({ property }) => (!NEVER_COPIED.has(property) || (isLineCode && property === 'like')) && !left.includes(property),
  );
  // a copy goes by sequence values, or has conductors of its own: the place is marked, see line-code.ts and device-place.ts
  if (isLineCode || DEVICES.has(className))
    copied.push({ property: 'like', value: { text: pattern.name, quote: '' }, at, directory });
  if (WITH_WINDINGS.has(className) && copied.length > 0) {
    copied.push({ property: 'wdg', value: { text: '1', quote: '' }, at, directory });
  }
  if (className === 'transformer') {
    // nor what its pattern has of these from a code
    const plain = { '%imag': '0', leadlag: 'lag', ppm_antifloat: '1' };
    for (const [property, text] of Object.entries(plain)) {
      copied.push({ property, value: { text, quote: '' }, at, directory });
    }
  }
  return copied;
}
