import { describe, expect, it } from 'vitest';
import { lineLook, MapRaster, POINT_STATE, packed, pointLook, type RasterLook, shadesOf } from '../../../web/index.js';

const WHITE = packed('#fff');
const RED = packed('#ff0000');
const BLUE = packed('#0000ff');
const RING = packed('#d1002e');
const SIZE = 40;

/** A level line at row 20 from 5 to 35 under one point of radius 3 at (20, 20). */
const raster = (lineHalfWidths: readonly number[] = [1.5, 4]) =>
  new MapRaster({
    ...{ width: SIZE, height: SIZE, ratio: 1, lineHalfWidths, radii: [3] },
    ...{ lines: Float32Array.of(5, 20, 35, 20), points: Float32Array.of(20, 20), kinds: Uint8Array.of(0) },
  });
const painted = (look: Partial<RasterLook>, of = raster()) => {
  const picture = new Uint32Array(SIZE * SIZE);
  of.paint(picture, {
    ...{ ground: WHITE, ring: RING, lineWidths: Uint8Array.of(0), lineColours: Uint32Array.of(BLUE) },
    ...{ states: Uint8Array.of(POINT_STATE.inside), pointColours: Uint32Array.of(RED) },
    ...look,
  });
  return (x: number, y: number) => picture[y * SIZE + x]!;
};
/** Pixels of a column that are wholly blue. */
const thickness = (at: (x: number, y: number) => number, x: number) =>
  Array.from({ length: SIZE }, (_, y) => at(x, y)).filter((colour) => colour === BLUE).length;

describe('the map as pixels', () => {
  it('packs colours as canvases hold them, long and short', () => {
    expect(packed('#123456')).toBe(0xff563412);
    expect(packed('#fff')).toBe(0xffffffff);
  });

  it('paints a line as thick as its look says, and the ground elsewhere', () => {
    const thin = painted({});
    expect(thickness(thin, 10)).toBe(3);
    expect(thin(10, 18)).toBe(WHITE);
    expect(thin(2, 20)).toBe(WHITE);
    expect(thickness(painted({ lineWidths: Uint8Array.of(1) }), 10)).toBe(7);
  });

  it('paints a steep line as thick as a level one', () => {
    const steep = new MapRaster({
      ...{ width: SIZE, height: SIZE, ratio: 1, lineHalfWidths: [1.5], radii: [] },
      ...{ lines: Float32Array.of(20, 5, 20, 35), points: new Float32Array(0), kinds: new Uint8Array(0) },
    });
    const at = painted({ states: new Uint8Array(0), pointColours: new Uint32Array(0) }, steep);
    expect(Array.from({ length: SIZE }, (_, x) => at(x, 10)).filter((colour) => colour === BLUE)).toHaveLength(3);
    expect(at(20, 38)).toBe(WHITE);
  });

  it('lays points over lines, smaller without a value, with a ring outside the limits', () => {
    const inside = painted({});
    expect([inside(20, 20), inside(22, 20), inside(20, 24)]).toEqual([RED, RED, WHITE]);
    // 0.7 of the radius: the line shows again beside it.
    expect(painted({ states: Uint8Array.of(POINT_STATE.faint) })(23, 20)).toBe(BLUE);
    const outside = painted({ states: Uint8Array.of(POINT_STATE.outside) });
    // Radius 3.75, ring from 1.2 to 2.8 beyond it.
    expect([outside(20, 23), outside(20, 26)]).toEqual([RED, RING]);
  });

  it('blends where an edge covers a part of a pixel', () => {
    const at = painted({}, raster([1]));
    // Half of the pixel beside the middle row: halfway from white to blue.
    const channel = (shift: number) => (at(10, 19) >>> shift) & 0xff;
    expect(channel(16)).toBe(255);
    expect(Math.abs(channel(0) - 127)).toBeLessThanOrEqual(2);
  });

  it('leaves out what lies beyond the picture', () => {
    const far = new MapRaster({
      ...{ width: SIZE, height: SIZE, ratio: 1, lineHalfWidths: [1], radii: [3] },
      ...{ lines: Float32Array.of(-500, -90, -400, 600), points: Float32Array.of(900, 3), kinds: Uint8Array.of(0) },
    });
    expect(far.fragments).toBe(0);
  });
});

describe('the looks of a map', () => {
  const rule = { shades: shadesOf('light'), low: 1, high: 1.1, least: 0.949, most: 1.061, dead: 7 };

  it('give points the colour of their value and say which are outside', () => {
    const { states, pointColours, outside } = pointLook([1, 1.1, null, 1.2, 0.9], rule);
    const { inside, faint, outside: beyond } = POINT_STATE;
    expect([...states]).toEqual([inside, beyond, faint, beyond, beyond]);
    const [low, high] = [rule.shades[0], rule.shades.at(-1)];
    expect([...pointColours]).toEqual([low, high, 7, high, low]);
    expect(outside).toBe(3);
  });

  it('give lines the class of their loading; what is open or not known has a look of its own', () => {
    const edge = (isOpen: boolean) => ({
      ...{ key: '', from: '', to: '', branches: [], phases: 1, kind: 'line' as const, isOpen },
    });
    const edges = [true, false, false, false, false, false].map(edge);
    const { lineWidths, lineColours } = lineLook(
      edges,
      [90, null, 24.9, 25, 100, 1e6],
      [25, 100, Infinity],
      [5, 6, 7, 8, 9],
    );
    expect([...lineWidths]).toEqual([0, 1, 2, 3, 4, 4]);
    expect([...lineColours]).toEqual([5, 6, 7, 8, 9, 9]);
  });
});
