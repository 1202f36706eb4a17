/**
 * Names an OpenDSS script can carry. A name there ends at a blank, a comma, an equals sign or a bracket, a dot starts the
 * node numbers, and letter case does not count.
 */
export class DssNames {
  private readonly taken = new Map<string, Set<string>>();
  private readonly given = new Map<string, string>();

  /**
   * A safe name for an object, unique within its class; the same key always gets the same name.
   *
   * @param className - OpenDSS class, or `bus`
   * @param key - what tells the object from others of its class
   * @param wanted - the name it should have; what cannot be in a name becomes an underscore
   */
  name(className: string, key: string, wanted: string): string {
    const place = `${className}\n${key}`;
    const known = this.given.get(place);
    if (known !== undefined) return known;
    const used = this.taken.get(className) ?? new Set<string>();
    this.taken.set(className, used);
    const plain = wanted
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .replace(/[^A-Za-z0-9_-]/g, '_');
    // A leading sign would be read as a number's, and nothing at all as the next word.
    const base = /^[A-Za-z0-9_]/.test(plain) ? plain : `${className.toLowerCase()}_${plain}`;
    let name = base;
    for (let n = 2; used.has(name.toLowerCase()); n++) name = `${base}_${n}`;
    used.add(name.toLowerCase());
    this.given.set(place, name);
    return name;
  }
}
