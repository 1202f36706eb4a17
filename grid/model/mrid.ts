const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The one spelling under which an object is looked up: `urn:uuid:`, `#` and a leading `_` are taken away,
 * and a UUID is put in upper case; any other text is kept as it is.
 *
 * @example canonicalMrid('urn:uuid:49ad8e07-3bf9-a4e2-cb8f-c3722f837b62') // '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62'
 */
export function canonicalMrid(written: string): string {
  let id = written.trim();
  if (id.toLowerCase().startsWith('urn:uuid:')) id = id.slice(9);
  if (id.startsWith('#')) id = id.slice(1);
  const bare = id.startsWith('_') ? id.slice(1) : id;
  return UUID.test(bare) ? bare.toUpperCase() : id;
}
