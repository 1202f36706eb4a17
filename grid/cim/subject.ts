const ENUMERATION_MEMBER = /^[a-z][a-z0-9+.-]*:.*[#/]([A-Z]\w*\.\w+)$/i;

/** The subject as written, without `urn:uuid:` and `#`. */
export function withoutPrefix(written: string): string {
  const id = written.trim();
  if (id.toLowerCase().startsWith('urn:uuid:')) return id.slice(9);
  const hash = id.lastIndexOf('#');
  return hash >= 0 ? id.slice(hash + 1) : id;
}

/** `Kind.member` where a resource is a member of an enumeration. */
export function enumerationMember(resource: string): string | undefined {
  return resource.startsWith('urn:') ? undefined : ENUMERATION_MEMBER.exec(resource)?.[1];
}
