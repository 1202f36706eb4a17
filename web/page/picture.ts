/** Pixels of a PNG for a unit of a picture's own. */
const FINENESS = 2;

/** Hands a file to the reader as a download. */
export function saveAs(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name.replace(/[^\w.-]+/g, '_');
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** An SVG as a PNG on white. @throws Error when it is no picture */
export async function pngOfSvg(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(new Error('The picture cannot be drawn.'));
      image.src = address;
    });
    const canvas = document.createElement('canvas');
    canvas.width = FINENESS * image.naturalWidth;
    canvas.height = FINENESS * image.naturalHeight;
    const ctx = canvas.getContext('2d');
    if (!ctx) throw new Error('This browser gives no canvas.');
    ctx.fillStyle = '#ffffff';
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (!blob) throw new Error('The picture is too large for this browser.');
    return blob;
  } finally {
    URL.revokeObjectURL(address);
  }
}
