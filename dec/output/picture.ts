import { prepareFile, writeNamed } from './named-file.js';

/**
 * Where the picture of `--plot` goes. Its folder is made here, before the work.
 *
 * @param plot - the option: a file, `true` for the default `<kind>_<feeder>.svg`, undefined for none
 * @throws DecError `BAD_ARGUMENT` when the folder is not there and cannot be made
 */
export function pictureFile(plot: string | true | undefined, kind: string, feederName: string): string | undefined {
  const path = plot === true ? `${kind}_${feederName.replace(/[^\w.-]/g, '_')}.svg` : plot;
  if (path !== undefined) prepareFile(path, 'picture');
  return path;
}

/**
 * Writes a picture.
 *
 * @throws DecError `BAD_ARGUMENT` when something else stands in its place, or nobody may write there
 */
export function writePicture(path: string, svg: string): void {
  writeNamed(path, 'picture', svg);
}
