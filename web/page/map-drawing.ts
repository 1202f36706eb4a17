import { MultiUndirectedGraph } from 'graphology';
import Sigma from 'sigma';
import type { DrawnSign, MapView } from '../index.js';

/** How one point looks. */
export interface PointLook {
  readonly color: string;
  readonly isOutside: boolean;
  readonly isFaint: boolean;
}

/** How one line looks. */
export interface EdgeLook {
  readonly color: string;
  readonly size: number;
}

/** Colours that a drawing takes from the page. */
export interface DrawingTones {
  readonly text: string;
  readonly panel: string;
  readonly bad: string;
  readonly accent: string;
}

/** What a drawing asks for each time it draws. */
export interface Looks {
  point(key: string): PointLook;
  edge(key: string): EdgeLook;
  tones(): DrawingTones;
}

/** Radius of points by kind, px. */
const POINT_PX = { bus: 3.2, secondary: 2.1, area: 4.2 } as const;
/** Half the size of a sign, px. */
const SIGN_PX = 5;

/** A feeder on a WebGL canvas: sigma draws points and lines, a canvas above it draws signs, rings and the selection. */
export class MapDrawing {
  private readonly sigma: Sigma;
  private readonly over: HTMLCanvasElement;
  private readonly graph = new MultiUndirectedGraph();
  private signs: readonly DrawnSign[] = [];
  private keys: readonly string[] = [];
  private selected: string | undefined;
  private readonly looks: Looks;

  /** @param onHover - the point under the pointer, and where it is on the page; undefined when there is none */
  constructor(
    box: HTMLElement,
    over: HTMLCanvasElement,
    looks: Looks,
    listeners: {
      readonly onHover: (key: string | undefined, x: number, y: number) => void;
      readonly onSelect: (key: string | undefined) => void;
    },
  ) {
    this.over = over;
    this.looks = looks;
    this.sigma = new Sigma(this.graph, box, {
      allowInvalidContainer: true,
      renderLabels: false,
      enableEdgeEvents: false,
      zIndex: true,
      minEdgeThickness: 0.6,
      itemSizesReference: 'screen',
      stagePadding: 24,
      minCameraRatio: 0.02,
      maxCameraRatio: 3,
      // Points grow more slowly than the map when it is drawn nearer.
      zoomToSizeRatioFunction: (ratio) => ratio ** 0.4,
      defaultDrawNodeHover: () => {},
      nodeReducer: (key, data) => {
        const { color, isOutside, isFaint } = looks.point(key);
        return {
          ...data,
          color,
          size: Number(data['size']) * (isOutside ? 1.25 : isFaint ? 0.7 : 1),
          zIndex: isOutside ? 2 : 1,
        };
      },
      edgeReducer: (key, data) => ({ ...data, ...looks.edge(key) }),
    });
    this.sigma.on('afterRender', () => this.drawOver());
    this.sigma.on('enterNode', ({ node, event }) => listeners.onHover(node, event.x, event.y));
    this.sigma.on('leaveNode', () => listeners.onHover(undefined, 0, 0));
    this.sigma.on('clickNode', ({ node }) => listeners.onSelect(node));
    this.sigma.on('clickStage', () => listeners.onSelect(undefined));
  }

  /** Shows another feeder, or the same with its areas opened or collapsed. */
  show(view: MapView): void {
    this.graph.clear();
    this.signs = view.signs;
    this.keys = view.points.map(({ key }) => key);
    for (const { key, x, y, kind, label } of view.points)
      this.graph.addNode(key, { x, y, label, size: POINT_PX[kind] });
    for (const { key, from, to } of view.edges) this.graph.addEdgeWithKey(key, from, to, { size: 1 });
    this.sigma.refresh();
  }

  /** Draws anew what has other colours; places stay. */
  recolour(): void {
    this.sigma.refresh({ skipIndexation: true, schedule: true });
  }

  /** Marks a point. @param isCentred - whether the map moves to it */
  select(key: string | undefined, isCentred = false): void {
    this.selected = key;
    const place = key === undefined ? undefined : this.sigma.getNodeDisplayData(key);
    if (isCentred && place) {
      const { ratio } = this.sigma.getCamera().getState();
      void this.sigma.getCamera().animate({ x: place.x, y: place.y, ratio: Math.min(ratio, 0.35) }, { duration: 250 });
    }
    this.sigma.scheduleRender();
  }

  /** Nearer (below 1) or farther. */
  zoom(factor: number): void {
    const camera = this.sigma.getCamera();
    void camera.animate({ ratio: camera.getBoundedRatio(camera.ratio * factor) }, { duration: 150 });
  }

  /** Moves by shares of what is seen. */
  pan(x: number, y: number): void {
    const camera = this.sigma.getCamera();
    camera.setState({ x: camera.x + x * camera.ratio, y: camera.y + y * camera.ratio });
  }

  /** Shows everything. */
  fit(): void {
    void this.sigma.getCamera().animatedReset({ duration: 200 });
  }

  end(): void {
    this.sigma.kill();
  }

  private drawOver(): void {
    const { width, height } = this.sigma.getDimensions();
    const ratio = devicePixelRatio;
    const { over } = this;
    if (over.width !== width * ratio || over.height !== height * ratio) {
      over.width = width * ratio;
      over.height = height * ratio;
    }
    const ctx = over.getContext('2d');
    if (!ctx) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const tones = this.looks.tones();
    ctx.lineWidth = 1.6;
    ctx.strokeStyle = tones.bad;
    for (const key of this.keys) {
      if (this.looks.point(key).isOutside) this.ring(ctx, key, 2);
    }
    for (const sign of this.signs) drawSign(ctx, sign, this.sigma.graphToViewport(sign), tones);
    if (this.selected !== undefined && this.graph.hasNode(this.selected)) {
      ctx.lineWidth = 2.5;
      ctx.strokeStyle = tones.accent;
      this.ring(ctx, this.selected, 5);
    }
  }

  private ring(ctx: CanvasRenderingContext2D, key: string, gap: number): void {
    const data = this.sigma.getNodeDisplayData(key);
    if (!data) return;
    const { x, y } = this.sigma.framedGraphToViewport(data);
    ctx.beginPath();
    ctx.arc(x, y, this.sigma.scaleSize(data.size) + gap, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

/** Draws a sign around a place. */
export function drawSign(
  ctx: CanvasRenderingContext2D,
  { kind }: Pick<DrawnSign, 'kind'>,
  { x, y }: { readonly x: number; readonly y: number },
  tones: Pick<DrawingTones, 'text' | 'panel'>,
): void {
  const r = SIGN_PX;
  ctx.strokeStyle = tones.text;
  ctx.fillStyle = tones.panel;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  if (kind === 'source') {
    ctx.rect(x - r - 1, y - r - 1, 2 * r + 2, 2 * r + 2);
    ctx.fillStyle = tones.text;
  } else if (kind === 'openSwitch' || kind === 'closedSwitch') {
    ctx.rect(x - r + 1, y - r + 1, 2 * r - 2, 2 * r - 2);
    if (kind === 'closedSwitch') ctx.fillStyle = tones.text;
  } else if (kind === 'regulator') {
    ctx.moveTo(x, y - r - 1);
    ctx.lineTo(x + r + 1, y);
    ctx.lineTo(x, y + r + 1);
    ctx.lineTo(x - r - 1, y);
    ctx.closePath();
  } else {
    ctx.moveTo(x - r, y + r - 1);
    ctx.lineTo(x, y - r);
    ctx.lineTo(x + r, y + r - 1);
    ctx.closePath();
  }
  ctx.fill();
  ctx.stroke();
}
